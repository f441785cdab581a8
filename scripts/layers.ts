/**
 * The import rules as one table of layers, from the top down, and the linter configuration
 * generated from it. Writes `biome.layers.json`; `--check` writes nothing and fails if the file is
 * out of date.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface Layer {
  /** Paths relative to `src/`; folders end with a slash. */
  readonly paths: readonly string[]
  /** Lower layers that it must not import. */
  readonly not?: readonly string[]
  /** The only permitted imports of `src/`, as written; replaces the lower layers. */
  readonly only?: readonly string[]
  /** Lower layers that may import this one. */
  readonly importedBy?: readonly string[]
}

const SRC = 'packages/server/src'
const FROM_BELOW = ['http/', 'auth/', 'session/', 'mcp/']

/** A layer may import itself and lower layers. */
const LAYERS: readonly Layer[] = [
  { paths: ['cli/'], not: ['testing/', 'runtime/', ...FROM_BELOW] },
  { paths: ['openapi/'], only: [], importedBy: ['cli/'] },
  {
    paths: ['testing/'],
    not: [
      'runtime/',
      'call/',
      'demo/',
      'tools/',
      'http/',
      'mcp/',
      'start.ts',
      'serve-stdio.ts',
      'app.ts',
      'runtime.ts',
    ],
  },
  { paths: ['start.ts'] },
  {
    paths: ['project.ts', 'explain-failure.ts'],
    not: [
      'serve-stdio.ts',
      'serve-http.ts',
      'app.ts',
      'calls.ts',
      'runtime.ts',
      'runtime/',
      ...FROM_BELOW,
    ],
  },
  {
    paths: ['define-server.ts'],
    only: [
      './config/{introduction,server-options}.ts',
      './engine/{check-routes,define-hook,define-route,env,extensions,team}.ts',
    ],
  },
  { paths: ['create-mcp.ts'], only: ['./define-server.ts', './engine/**'] },
  { paths: ['server-file.ts'], only: [] },
  { paths: ['serve-stdio.ts'] },
  { paths: ['serve-http.ts', 'access-control.ts'] },
  { paths: ['app.ts', 'calls.ts'] },
  { paths: ['runtime.ts'] },
  { paths: ['served-catalog.ts'] },
  { paths: ['runtime/'] },
  { paths: ['tools/', 'resources/', 'prompts/'], only: ['../engine/index.ts'] },
  {
    paths: ['demo/'],
    not: [...FROM_BELOW, 'call/', 'engine/', 'upstream/', 'output/', 'telemetry/'],
  },
  { paths: ['call/'] },
  {
    paths: ['workers/'],
    not: ['auth/', 'session/', 'mcp/', 'engine/', 'upstream/', 'output/', 'oidc/', 'store/'],
  },
  { paths: ['http/'] },
  { paths: ['auth/'] },
  { paths: ['session/'] },
  { paths: ['mcp/'] },
  { paths: ['engine/'] },
  { paths: ['upstream/'] },
  { paths: ['output/'] },
  { paths: ['oidc/'] },
  { paths: ['store/'] },
  { paths: ['telemetry/'] },
  { paths: ['process/'], only: ['../logger.ts', '../errors.ts'] },
  { paths: ['logger.ts', 'logger/'] },
  { paths: ['config.ts', 'config/'] },
  { paths: ['crypto/'] },
  { paths: ['json-structure.ts'], only: ['./errors.ts'] },
  { paths: ['deadlines.ts', 'errors.ts', 'well-formed.ts'], only: [] },
  // Last, since folders also contain files of this name.
  { paths: ['index.ts'], only: ['./create-mcp.ts', './define-server.ts', './engine/index.ts'] },
]

const isFolder = (path: string) => path.endsWith('/')
const nameOf = (path: string) => path.replace(/\/$/, '')

/** The forbidden import patterns of a layer, in the form of `noRestrictedImports`. */
function forbidden(layer: Layer, above: readonly Layer[]): string[] {
  if (layer.only !== undefined) {
    const everything = layer.paths.every(isFolder) ? ['../**'] : ['./**', '../**']
    return [...everything, ...layer.only.map((allowed) => `!${allowed}`)]
  }
  const barred = above.filter(
    ({ importedBy }) => !layer.paths.some((path) => importedBy?.includes(path)),
  )
  const paths = [...barred.flatMap((each) => each.paths), ...(layer.not ?? [])]
  const folders = paths.filter(isFolder).map(nameOf)
  const files = paths.filter((path) => !isFolder(path))
  return [...anywhere(folders, (names) => `${names}/**`), ...anywhere(files, (names) => names)]
}

function anywhere(names: readonly string[], pattern: (names: string) => string): string[] {
  if (names.length === 0) return []
  const joined = pattern(`{${[...new Set(names)].join(',')}}`)
  return [`./**/${joined}`, `../**/${joined}`]
}

function override(layer: Layer, index: number) {
  const group = forbidden(layer, LAYERS.slice(0, index))
  const allowed = layer.only?.map((path) => path.replace(/^\.*\//, '')).join(' and ')
  const message =
    layer.only === undefined
      ? `${layer.paths.join(', ')} may import only the layers below.`
      : `${layer.paths.join(', ')} may import ${allowed || 'nothing'} of src alone.`
  const options = { patterns: [{ group, message }] }
  return {
    includes: layer.paths.map((path) => `${SRC}/${isFolder(path) ? `${path}**` : path}`),
    linter: { rules: { style: { noRestrictedImports: { level: 'error', options } } } },
  }
}

const file = join(import.meta.dirname, '../biome.layers.json')
const overrides = LAYERS.map(override).filter(
  ({ linter }) => linter.rules.style.noRestrictedImports.options.patterns[0]?.group.length !== 0,
)
const text = `${JSON.stringify({ overrides }, null, 2)}\n`

if (!process.argv.includes('--check')) writeFileSync(file, text)
else if (readFileSync(file, 'utf8') !== text) {
  console.error('biome.layers.json is not what `npm run layers` writes.')
  process.exitCode = 1
}
