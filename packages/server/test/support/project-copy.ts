/** A copy of the starter outside of the repository, for commands that write files. */

import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '../../../..')

/** The installed packages, which the copy shares. */
export const MODULES = join(ROOT, 'node_modules')

/** The command, with the framework from its sources. */
export const COMMAND: readonly string[] = [
  '--conditions=@mcp-template/source',
  join(ROOT, 'packages/server/bin/mcp-template.js'),
]

export interface ProjectCopy {
  readonly folder: string
  remove(): void
}

export function copyProject(): ProjectCopy {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-template-'))
  const isOwn = (path: string) => !/\/(?:node_modules|\.env)$/.test(path)
  cpSync(join(ROOT, 'starter'), folder, { recursive: true, filter: isOwn })
  // No single link: the project's caches there must be separate.
  mkdirSync(join(folder, 'node_modules'))
  for (const name of readdirSync(MODULES).filter((name) => name !== '.cache')) {
    symlinkSync(join(MODULES, name), join(folder, 'node_modules', name))
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
