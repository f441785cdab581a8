/** Merges the sources of variables: the process, over `--env NAME` (`NAME.env`), over `.env`. */

import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { z } from 'zod'
import { type FileVariable, readEnvFile } from './env-file.ts'
import type { Faults } from './faults.ts'
import type { ServerIntroduction } from './introduction.ts'
import { belongsToFramework, nearestKnown, secretFileVariable } from './names.ts'
import { PROXY_ALIASES } from './proxy-variables.ts'
import type { ServerOptions } from './server-options.ts'
import { secretSettings } from './settings.ts'

export interface ConfigSources {
  /** The arguments after the script's name. */
  readonly argv?: readonly string[]
  /** The process environment; it overrides the files. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder in which `.env` and `NAME.env` are looked for. */
  readonly cwd: string
  /** Values of the server's declaration, by variable; every other source overrides them. */
  readonly declared?: RawVariables
  /** The declared identifier; APP_NAME by default. */
  readonly identifier?: string
  /** The features that the declaration turns off, and its introduction. */
  readonly options?: ServerOptions & ServerIntroduction
  /** The team's own variables. */
  readonly settings?: z.ZodObject | undefined
  /** Whether this process serves alone and ignores WORKERS, as in development. */
  readonly isAlone?: boolean
}

/** Variables by name. An empty one counts as unset: compose files and shells create those. */
export type RawVariables = Readonly<Record<string, string>>

/** Merges all sources. A missing `.env` is normal, a missing `NAME.env` a fault. */
export function readSources(sources: ConfigSources, faults: Faults): RawVariables {
  const { argv = [], env, cwd, declared = {} } = sources
  const own = [
    ...Object.keys(sources.settings?.shape ?? {}),
    ...secretSettings(sources.settings).map(secretFileVariable),
  ]
  const files = [
    ...(readEnvFile(resolve(cwd, '.env'), faults) ?? []),
    ...readNamedFile(argv, cwd, faults),
  ]
  for (const variable of files) checkFileName(variable, own, faults)
  checkProcessNames(env, own, faults)
  const merged: Record<string, string> = {}
  const given = Object.entries(env).filter(([name, value]) => !isServiceLink(name, value))
  const fromFiles = files.map(({ name, value }) => [name, value] as const)
  for (const layer of [Object.entries(declared), fromFiles, given]) {
    // Within one source, lower-case names win: they come last.
    for (const [name, value] of [...layer].sort(aliasesLast)) {
      if (value) merged[PROXY_ALIASES.get(name) ?? name] = value
    }
  }
  return merged
}

function aliasesLast([one]: readonly [string, unknown], [other]: readonly [string, unknown]) {
  return Number(PROXY_ALIASES.has(one)) - Number(PROXY_ALIASES.has(other))
}

function readNamedFile(argv: readonly string[], cwd: string, faults: Faults) {
  const { values } = parseArgs({
    args: [...argv],
    options: { env: { type: 'string' } },
    strict: false,
  })
  if (values.env === undefined) return []
  if (typeof values.env !== 'string' || values.env === '') {
    faults.add('--env', 'requires a name: `--env staging` reads staging.env')
    return []
  }
  const variables = readEnvFile(resolve(cwd, `${values.env}.env`), faults)
  if (variables === undefined)
    faults.add('--env', `names a file that does not exist: ${values.env}.env`)
  return variables ?? []
}

/** Reports unknown names in the server's own files: they have no effect. */
function checkFileName(
  { name, where }: FileVariable,
  own: readonly string[],
  faults: Faults,
): void {
  if (belongsToFramework(name) || own.includes(name)) return
  const meant = nearestKnown(name, own)
  if (meant !== undefined) faults.add(name, `(${where}) ${unknown(meant)}`)
  else
    faults.warn(
      'unknown_variable',
      `${name} (${where}) is not a variable of this server and has no effect`,
    )
}

/** Ignores other programs' variables, unless one looks like a misspelling of ours. */
function checkProcessNames(
  env: ConfigSources['env'],
  own: readonly string[],
  faults: Faults,
): void {
  for (const [name, value] of Object.entries(env)) {
    if (!value || isServiceLink(name, value)) continue
    const meant = nearestKnown(name, own)
    // If the variable that it resembles is set too, it belongs to another program.
    if (meant !== undefined && !env[meant]) faults.add(name, unknown(meant))
  }
}

function unknown(meant: string): string {
  return `is unknown: did you mean ${meant}? Rename or remove it`
}

/**
 * Kubernetes and Docker links inject `REDIS_PORT=tcp://10.0.0.1:6379` for a service called `redis`;
 * such a value is no setting.
 */
function isServiceLink(name: string, value: string | undefined): boolean {
  return name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\/\S+:\d+$/.test(value ?? '')
}
