/** A copy of the project, for commands that write into it. */

import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '../../../..')

/** What is installed; the copy has the same. */
export const MODULES = join(ROOT, 'node_modules')

const FOLDERS = ['src', 'scripts', 'test']
const FILES = ['.gitignore', 'biome.json', 'package.json', 'tsconfig.json', 'vitest.config.ts']

export interface ProjectCopy {
  readonly folder: string
  remove(): void
}

export function copyProject(): ProjectCopy {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-template-'))
  for (const path of [...FOLDERS, ...FILES]) {
    cpSync(join(ROOT, path), join(folder, path), { recursive: true })
  }
  symlinkSync(MODULES, join(folder, 'node_modules'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
