/**
 * Lists the declaration files of a folder, and the files that are skipped; bounds the time of an
 * import, which may never settle, for example at a top-level `await`.
 */

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

interface DeclarationFile {
  /** Relative to the folder, with `/`, such as `billing/refunds.ts`. */
  readonly path: string
  /** Why the file is not loaded; absent if it is. */
  readonly skippedAs?: string
}

const CODE = /\.(?:[cm]?ts|[cm]?js)$/
const LOADED = /\.(?:m?ts|m?js)$/

/**
 * All files below a folder, sorted by path. `_name` and everything below `_folder/` is shared code.
 * Undefined for a missing folder; any other failure is thrown.
 */
export async function listDeclarations(
  directory: string,
): Promise<readonly DeclarationFile[] | undefined> {
  const paths = await pathsBelow(directory)
  return paths?.sort().map((path) => {
    const skippedAs = reasonToSkip(path)
    return skippedAs === undefined ? { path } : { path, skippedAs }
  })
}

async function pathsBelow(directory: string): Promise<string[] | undefined> {
  try {
    const entries = await readdir(directory, { withFileTypes: true })
    const below = entries.map(async (entry) => {
      if (!entry.isDirectory()) return [entry.name]
      const paths = (await pathsBelow(join(directory, entry.name))) ?? []
      return paths.map((path) => `${entry.name}/${path}`)
    })
    return (await Promise.all(below)).flat()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function reasonToSkip(path: string): string | undefined {
  if (path.split('/').some((part) => part.startsWith('_'))) return 'shared code'
  if (/\.d\.[cm]?ts$/.test(path)) return 'types only'
  if (/\.test\.[cm]?[jt]s$/.test(path)) return 'a test'
  if (LOADED.test(path)) return undefined
  return CODE.test(path) ? 'CommonJS; declarations are ECMAScript modules' : 'not code'
}

/** Thresholds for a slow import, and for its timeout. */
export interface Waiting {
  readonly slowAfterMs?: number
  readonly longestMs?: number
  /** Called once for each slow file. */
  readonly onSlow?: (file: string, seconds: number) => void
}

const SLOW_AFTER_MS = 5000
const LONGEST_MS = 30_000

/**
 * Waits for an import. The timers keep the process alive: otherwise Node would exit with code 13
 * without naming the file.
 * @throws TypeError on timeout
 */
export async function settleInTime<T>(
  file: string,
  importing: Promise<T>,
  { slowAfterMs = SLOW_AFTER_MS, longestMs = LONGEST_MS, onSlow }: Waiting,
): Promise<T> {
  const slow = setTimeout(() => onSlow?.(file, slowAfterMs / 1000), slowAfterMs)
  let over: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    over = setTimeout(() => {
      const seconds = longestMs / 1000
      reject(
        new TypeError(
          `its import did not settle within ${seconds} s; look for an \`await\` at its top level, or in what it imports`,
        ),
      )
    }, longestMs)
  })
  try {
    return await Promise.race([importing, late])
  } finally {
    clearTimeout(slow)
    clearTimeout(over)
  }
}
