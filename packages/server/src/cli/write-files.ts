/** Writes files into a project: all or none, and without `force` never over existing ones. */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { UsageError } from './command-line.ts'

export type Files = Readonly<Record<string, string>>

/**
 * Writes files by their path in the project; with `force`, overwrites existing ones.
 * @throws UsageError for files that already exist, and for files that cannot be written
 */
export function writeFiles(project: string, files: Files, { force = false } = {}): void {
  const taken = Object.keys(files).filter((file) => existsSync(join(project, file)))
  if (taken.length > 0 && !force) {
    const shown = taken.slice(0, 5).join(', ')
    const more = taken.length > 5 ? ` and ${taken.length - 5} more` : ''
    throw new UsageError(`Existing files: ${shown}${more}. --force overwrites them.`)
  }
  const before = new Map<string, Buffer>()
  const written: string[] = []
  try {
    for (const file of taken) before.set(file, readFileSync(join(project, file)))
    for (const [file, content] of Object.entries(files)) {
      const target = join(project, file)
      mkdirSync(dirname(target), { recursive: true })
      // TOCTOU: `wx` fails if the file was created after the check.
      writeFileSync(target, content, { flag: before.has(file) ? 'w' : 'wx' })
      written.push(file)
    }
  } catch (error) {
    for (const file of written) {
      const content = before.get(file)
      if (content === undefined) rmSync(join(project, file))
      else writeFileSync(join(project, file), content)
    }
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(`Nothing was written: ${reason}`)
  }
}

/** Formats files with the project's Biome, if it is installed. */
export function formatFiles(project: string, files: readonly string[]): void {
  const biome = biomeOf(project)
  if (biome === undefined) return
  const args = [biome, 'format', '--write', ...files]
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' })
  if (status !== 0) console.error(`Biome could not format the files:\n${stderr}`)
}

function biomeOf(project: string): string | undefined {
  if (!['biome.json', 'biome.jsonc'].some((name) => existsSync(join(project, name))))
    return undefined
  try {
    return createRequire(join(project, 'package.json')).resolve('@biomejs/biome/bin/biome')
  } catch {
    return undefined
  }
}
