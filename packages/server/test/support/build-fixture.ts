/**
 * Bundles what tests start as processes, once before they run: the server with the catalogs it may
 * serve, the framework as a project installs it, and the doctor. A bundled server needs 1.3 s of
 * processor time to be ready, and 3.3 s when it loads the sources through tsx.
 */

import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the bundled server. */
    readonly serverFolder: string
  }
}

const SERVER = join(import.meta.dirname, '../..')
const FIXTURES = join(SERVER, 'test/fixtures')
const DOCTOR = join(SERVER, '../doctor/src')
/** As deep as the folders of `src`, which read `../../package.json`. */
const BUILT = join(SERVER, '.built')

/** What a project imports, by its place below `dist`. */
const FRAMEWORK = ['index', 'testing/index', 'store/index', 'cli/cli']

/** Each run has a folder of its own: runs may overlap. */
export async function setup(project: TestProject): Promise<() => void> {
  const folder = join(BUILT, `${project.name}-${process.pid}`)
  await bundle(folder)
  completeFramework(join(folder, 'framework'))
  project.provide('serverFolder', folder)
  project.onTestsRerun(() => bundle(folder))
  return () => rmSync(folder, { recursive: true, force: true })
}

/** The files of a catalog stay files of their own: the server discovers them in their folders. */
async function bundle(folder: string): Promise<void> {
  const fixtures = readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ in: join(FIXTURES, name), out: placeOf(name) }))
  const framework = FRAMEWORK.map((name) => ({
    in: join(SERVER, 'src', `${name}.ts`),
    out: `framework/dist/${name}`,
  }))
  const doctor = ['doctor', 'token'].map((name) => ({
    in: join(DOCTOR, `${name}.ts`),
    out: `doctor/${name}`,
  }))
  await build({
    entryPoints: [...fixtures, ...framework, ...doctor],
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
  cpSync(join(FIXTURES, 'bank/logo.svg'), join(folder, 'logo.svg'))
}

/** Where a file of a fixture goes, without its extension: the bank is the server itself. */
function placeOf(name: string): string {
  const [fixture, ...path] = name.replace(/\.ts$/, '').split('/')
  return join(...(fixture === 'bank' ? [] : ['catalogs', fixture ?? '']), ...path)
}

/** What makes a package of the bundled framework; its types are those of the last build. */
function completeFramework(folder: string): void {
  const { name, version, type, exports } = JSON.parse(
    readFileSync(join(SERVER, 'package.json'), 'utf8'),
  )
  const manifest = JSON.stringify({ name, version, type, exports }, (key, value) => {
    if (key === '@mcp-template/source') return undefined
    return key === 'types' ? value.replace('./dist/', './types/') : value
  })
  writeFileSync(join(folder, 'package.json'), manifest)
  cpSync(join(SERVER, 'bin'), join(folder, 'bin'), { recursive: true })
  symlinkSync(join(SERVER, 'dist'), join(folder, 'types'))
}
