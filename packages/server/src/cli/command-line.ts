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
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]))
  const { project, positionals, values } = readOptions(args, options)
  return { project, positionals, values: values as CommandLine['values'] }
}

type Options = NonNullable<ParseArgsConfig['options']>
type Values<T extends Options> = ReturnType<typeof parseArgs<{ options: T }>>['values']

/**
 * Reads words and options of any kind; `--project` is always one of them.
 * @throws UsageError
 */
export function readOptions<const T extends Options>(
  args: readonly string[],
  further: T,
): Omit<CommandLine, 'values'> & { readonly values: Values<T> } {
  const options = { ...further, project: { type: 'string' } } as const
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const { project } = values as { readonly project?: string }
    return { project: resolve(project ?? '.'), positionals, values: values as Values<T> }
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
