/** Argument parsing that all subcommands share. */

import { resolve } from 'node:path'
import { type ParseArgsConfig, parseArgs } from 'node:util'

/** Invalid command-line arguments; the message says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export interface CommandLine {
  /** The absolute path of the project folder. */
  readonly project: string
  readonly positionals: readonly string[]
  readonly values: Readonly<Record<string, string | undefined>>
}

/**
 * Parses positionals and options with values; always accepts `--project`.
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
 * Parses positionals and options of any type; always accepts `--project`.
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
 * The arguments after `start` and `dev`, in the form that the server reads.
 * @throws UsageError
 */
export function serverArguments({ positionals, values: { env } }: CommandLine): string[] {
  const [mode, ...more] = positionals
  if (more.length > 0 || (mode !== undefined && mode !== 'stdio')) {
    throw new UsageError(`Unexpected argument "${positionals.join(' ')}"; only "stdio" is allowed.`)
  }
  return [...(mode === undefined ? [] : [mode]), ...(env === undefined ? [] : ['--env', env])]
}
