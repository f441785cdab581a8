/**
 * Bundles the server that tests start as processes, once before the tests run: such a process needs
 * 1.3 s of processor time to be ready, and 3.3 s when it loads the sources through tsx.
 */

import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { TestProject } from 'vitest/node'
import { BUILT_FIXTURE } from './built-fixture.ts'

const FIXTURE = join(import.meta.dirname, '../fixtures/bank')

export async function setup(project: TestProject): Promise<void> {
  rmSync(BUILT_FIXTURE, { recursive: true, force: true })
  await bundle()
  project.onTestsRerun(bundle)
}

/** The files of the catalog stay files of their own: the server discovers them in their folders. */
async function bundle(): Promise<void> {
  await build({
    entryPoints: readdirSync(FIXTURE, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(FIXTURE, name)),
    outbase: FIXTURE,
    outdir: BUILT_FIXTURE,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    conditions: ['@mcp-template/source'],
    logLevel: 'warning',
  })
  cpSync(join(FIXTURE, 'logo.svg'), join(BUILT_FIXTURE, 'logo.svg'))
}
