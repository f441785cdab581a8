/** A project of its own: a copy of the starter outside of the repository, for commands that write. */

import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'

export const ROOT = join(import.meta.dirname, '../../../..')

/** What is installed; the copy has the same. */
export const MODULES = join(ROOT, 'node_modules')

/** The framework, bundled from its sources. */
const FRAMEWORK = join(inject('serverFolder'), 'framework')

/** The command of the bundled framework. */
export const COMMAND: readonly string[] = [join(FRAMEWORK, 'bin/mcp-template.js')]

export interface ProjectCopy {
  readonly folder: string
  remove(): void
}

/** @param framework the folder of the package that the project has installed */
export function copyProject(framework = FRAMEWORK): ProjectCopy {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-template-'))
  const isOwn = (path: string) => !/\/(?:node_modules|\.env)$/.test(path)
  cpSync(join(ROOT, 'starter'), folder, { recursive: true, filter: isOwn })
  // Not one link to all of it: what a project caches there must be its own.
  mkdirSync(join(folder, 'node_modules'))
  const isOthers = (name: string) => name !== '.cache' && name !== '@mcp-template'
  for (const name of readdirSync(MODULES).filter(isOthers)) {
    symlinkSync(join(MODULES, name), join(folder, 'node_modules', name))
  }
  mkdirSync(join(folder, 'node_modules/@mcp-template'))
  symlinkSync(framework, join(folder, 'node_modules/@mcp-template/server'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
