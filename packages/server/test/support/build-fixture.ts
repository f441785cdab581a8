/**
 * Bundles the server that tests start as processes, once before the tests run: such a process needs
 * 1.3 s of processor time to be ready, and 3.3 s when it loads the sources through tsx.
 */

import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the bundled server. */
    readonly serverFolder: string
  }
}

const FIXTURE = join(import.meta.dirname, '../fixtures/bank')
/** As deep as the folders of `src`, which read `../../package.json`. */
const BUILT = join(import.meta.dirname, '../../.built')

/** Each run has its own folder: runs may overlap. */
export async function setup(project: TestProject): Promise<() => void> {
  const folder = join(BUILT, `${project.name}-${process.pid}`)
  await bundle(folder)
  project.provide('serverFolder', folder)
  project.onTestsRerun(() => bundle(folder))
  return () => rmSync(folder, { recursive: true, force: true })
}

/** The files of the catalog are not bundled: the server discovers them in their folders. */
async function bundle(folder: string): Promise<void> {
  await build({
    entryPoints: readdirSync(FIXTURE, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(FIXTURE, name)),
    outbase: FIXTURE,
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    conditions: ['@mcp-template/source'],
    logLevel: 'warning',
  })
  cpSync(join(FIXTURE, 'logo.svg'), join(folder, 'logo.svg'))
}
