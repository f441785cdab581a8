/** Measures a project and its installed packages. */

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Files that a team maintains; excludes the tarball, which is only there until the packages are
 * published.
 */
export function ownFiles(project: string): string[] {
  return readdirSync(project, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => !/[\\/](?:node_modules|vendor)[\\/]|package-lock\.json$/.test(file))
}

export function linesOf(files: readonly string[]): number {
  return files.reduce((sum, file) => sum + readFileSync(file, 'utf8').split('\n').length - 1, 0)
}

/** @throws Error if a file exceeds this size in kilobytes */
export function expectAtMost(limitKilobytes: number, file: string): void {
  const { size } = statSync(file)
  if (size > limitKilobytes * 1000) {
    throw new Error(`${file} has ${size} bytes, more than ${limitKilobytes} kB`)
  }
}

export function kilobytes(file: string): string {
  return `${Math.round(statSync(file).size / 1000)} kB`
}

/** The size of a folder on disk. */
export function megabytes(folder: string): string {
  const [kibibytes = ''] = execFileSync('du', ['-sk', folder], { encoding: 'utf8' }).split('\t')
  return `${Math.round((Number(kibibytes) * 1024) / 1_000_000)} MB`
}
