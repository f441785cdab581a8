/** What all commands have in common on their command line. */

import { resolve } from 'node:path'
import { type ParseArgsConfig, parseArgs } from 'node:util'

/** A command line that cannot be followed; the message says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export interface CommandLine {
  /** The project's folder, absolute. */
  readonly project: string
  readonly positionals: readonly string[]
  readonly values: Readonly<Record<string, string | undefined>>
}

/**
 * Reads words and options that have values; `--project` is always one of them.
 * @throws UsageError
 */
export function readCommandLine(args: readonly string[], ...names: string[]): CommandLine {
  const options: NonNullable<ParseArgsConfig['options']> = Object.fromEntries(
    ['project', ...names].map((name) => [name, { type: 'string' }]),
  )
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const texts = values as Record<string, string | undefined>
    return { project: resolve(texts.project ?? '.'), positionals, values: texts }
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/**
 * What `start` and `dev` have after them, as the server reads it.
 * @throws UsageError
 */
export function serverArguments({ positionals, values: { env } }: CommandLine): string[] {
  const [mode, ...more] = positionals
  if (more.length > 0 || (mode !== undefined && mode !== 'stdio')) {
    throw new UsageError(`Only "stdio" may follow, not "${positionals.join(' ')}".`)
  }
  return [...(mode === undefined ? [] : [mode]), ...(env === undefined ? [] : ['--env', env])]
}
