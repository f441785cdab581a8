/** Where variables come from: the process, over `--env NAME` (`NAME.env`), over `.env`. */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs, parseEnv } from 'node:util'
import type { Faults } from './faults.ts'

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
}

/** Variables by name. An empty one is as good as none: compose files and shells make those. */
export type RawVariables = Readonly<Record<string, string>>

/** Reads all sources. A missing `.env` is normal, a missing `NAME.env` a fault. */
export function readSources(sources: ConfigSources, faults: Faults): RawVariables {
  const { argv = [], env, cwd, declared = {} } = sources
  const fromFile = readEnvFile(resolve(cwd, '.env')) ?? {}
  const layers = [declared, fromFile, readNamedFile(argv, cwd, faults), env]
  const merged: Record<string, string> = {}
  for (const [name, value] of layers.flatMap((layer) => Object.entries(layer))) {
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
  if (values.env === undefined) return {}
  if (typeof values.env !== 'string' || values.env === '') {
    faults.add('--env', 'wants a name: `--env staging` reads staging.env')
    return {}
  }
  const variables = readEnvFile(resolve(cwd, `${values.env}.env`))
  if (variables === undefined)
    faults.add('--env', `names a file that is not there: ${values.env}.env`)
  return variables ?? {}
}

function readEnvFile(path: string): NodeJS.Dict<string> | undefined {
  try {
    return parseEnv(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
