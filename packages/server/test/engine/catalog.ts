/** Catalogs for tests: files as a project writes them, in a temporary folder. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterFile } from '../support/after-file.ts'

const ENGINE = pathToFileURL(join(import.meta.dirname, '../../src/engine/index.ts')).href
const ZOD = import.meta.resolve('zod')

/** Writes files by path, such as `tools/greet.ts`; returns the folder to discover. */
export function writeCatalog(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'catalog-'))
  afterFile(() => rmSync(folder, { recursive: true }))
  for (const [path, code] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), code)
  }
  return folder
}

const NAMES = 'completable definePrompt defineResource defineTool form masked ToolError'.split(' ')

/** A module with zod and the engine's names in scope, except those that the code imports itself. */
export function moduleOf(code: string): string {
  const names = NAMES.filter((name) => !new RegExp(`import .*\\b${name}\\b`).test(code))
  return [
    `import { ${names.join(', ')} } from '${ENGINE}'`,
    `import { z } from '${ZOD}'`,
    code,
  ].join('\n')
}

/** A valid tool, except for the given fields: code, such as `output: 'z.any()'`. */
export function toolFile(fields: Readonly<Record<string, string>> = {}): string {
  const all = {
    name: "'greet'",
    description: "'Greets.'",
    input: 'z.object({})',
    output: 'z.object({})',
    run: 'async () => ({})',
    ...fields,
  }
  const body = Object.entries(all).map(([name, code]) => `${name}: ${code},`)
  return moduleOf(`export default defineTool({ ${body.join(' ')} })`)
}
