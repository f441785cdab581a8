/** Where variables come from: the process, over `--env NAME` (`NAME.env`), over `.env`. */

import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { z } from 'zod'
import { type FileVariable, readEnvFile } from './env-file.ts'
import type { Faults } from './faults.ts'
import { belongsToFramework, nearestKnown } from './names.ts'
import type { ServerOptions } from './server-options.ts'

export interface ConfigSources {
  /** The arguments after the script's name. */
  readonly argv?: readonly string[]
  /** The variables of the process; they win over those in files. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder in which `.env` and `NAME.env` are looked for. */
  readonly cwd: string
  /** What the server's own declaration says, by variable; everything else wins over it. */
  readonly declared?: RawVariables
  /** What programs know the server by, as declared; APP_NAME if left out. */
  readonly identifier?: string
  /** What the declaration turns off. */
  readonly options?: ServerOptions
  /** The team's own variables. */
  readonly settings?: z.ZodObject | undefined
}

/** Variables by name. An empty one is as good as none: compose files and shells make those. */
export type RawVariables = Readonly<Record<string, string>>

/** Reads all sources. A missing `.env` is normal, a missing `NAME.env` a fault. */
export function readSources(sources: ConfigSources, faults: Faults): RawVariables {
  const { argv = [], env, cwd, declared = {} } = sources
  const own = Object.keys(sources.settings?.shape ?? {})
  const files = [
    ...(readEnvFile(resolve(cwd, '.env'), faults) ?? []),
    ...readNamedFile(argv, cwd, faults),
  ]
  for (const variable of files) checkFileName(variable, own, faults)
  checkProcessNames(env, own, faults)
  const merged: Record<string, string> = {}
  const given = Object.entries(env).filter(([name, value]) => !isServiceLink(name, value))
  const fromFiles = files.map(({ name, value }) => [name, value] as const)
  for (const [name, value] of [...Object.entries(declared), ...fromFiles, ...given]) {
    if (value !== undefined && value !== '') merged[name] = value
  }
  return merged
}

function readNamedFile(argv: readonly string[], cwd: string, faults: Faults) {
  const { values } = parseArgs({
    args: [...argv],
    options: { env: { type: 'string' } },
    strict: false,
  })
  if (values.env === undefined) return []
  if (typeof values.env !== 'string' || values.env === '') {
    faults.add('--env', 'wants a name: `--env staging` reads staging.env')
    return []
  }
  const variables = readEnvFile(resolve(cwd, `${values.env}.env`), faults)
  if (variables === undefined)
    faults.add('--env', `names a file that is not there: ${values.env}.env`)
  return variables ?? []
}

/** A file is the server's own: what it does not know there has no effect, which somebody must know. */
function checkFileName(
  { name, where }: FileVariable,
  own: readonly string[],
  faults: Faults,
): void {
  if (belongsToFramework(name) || own.includes(name)) return
  const meant = nearestKnown(name, own)
  if (meant !== undefined) faults.add(name, `(${where}) ${unknown(meant)}`)
  else faults.warn('unknown_variable', `${name} (${where}) is unknown to this server: no effect`)
}

/** Other programs' variables are no fault, unless one looks like a mistyped one of ours. */
function checkProcessNames(
  env: ConfigSources['env'],
  own: readonly string[],
  faults: Faults,
): void {
  for (const [name, value] of Object.entries(env)) {
    if (!value || isServiceLink(name, value)) continue
    const meant = nearestKnown(name, own)
    // Beside the one it resembles, it is somebody else's.
    if (meant !== undefined && !env[meant]) faults.add(name, unknown(meant))
  }
}

function unknown(meant: string): string {
  return `is unknown: did you mean ${meant}? Rename or remove it`
}

/**
 * Kubernetes and Docker tell of a service called `redis` by `REDIS_PORT=tcp://10.0.0.1:6379`, which
 * is nobody's setting.
 */
function isServiceLink(name: string, value: string | undefined): boolean {
  return name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\/\S+:\d+$/.test(value ?? '')
}
