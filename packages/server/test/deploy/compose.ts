/** The repository's compose files, read as an engine reads them: variables filled in, files merged. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { ROOT } from '../docs/markdown.ts'

export interface Service {
  readonly image: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly env_file?: readonly { readonly path: string; readonly required: boolean }[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly deploy?: { readonly replicas: number }
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly ports?: readonly string[]
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly stop_grace_period?: string
  readonly volumes?: readonly string[]
  readonly configs?: readonly { readonly source: string; readonly target: string }[]
}

export type ComposeFile =
  | 'compose.yaml'
  | 'compose.production.yaml'
  | `deploy/compose.${'sentinel' | 'cluster' | 'workers'}.yaml`

type Variables = Readonly<Record<string, string | undefined>>

/** The text of a file with its variables filled in: `${NAME:-default}` and `${NAME:?why}`. */
export function filledIn(file: ComposeFile, variables: Variables = {}): string {
  const text = readFileSync(join(ROOT, file), 'utf8')
  return text.replaceAll(/\$\{(\w+):([-?])([^}]*)\}/g, (_, name: string, kind, rest: string) => {
    const value = variables[name]
    if (value !== undefined && value !== '') return value
    if (kind === '?') throw new Error(`${name} ${rest}`)
    return rest
  })
}

export interface ComposeContent {
  readonly services: Readonly<Record<string, Service>>
  /** Files that services mount. */
  readonly configs?: Readonly<Record<string, { readonly content: string }>>
}

/** The content of a file, with its variables filled in. */
export function read(file: ComposeFile, variables: Variables = {}): ComposeContent {
  return parse(filledIn(file, variables), { merge: true })
}

/** The services of compose.yaml. */
export function services(
  variables: Variables = {},
): Record<'redis' | 'server' | 'balancer', Service> {
  return parse(filledIn('compose.yaml', variables)).services
}

/** The variables of a node: those of `.env`, under those of the files. */
export function serverEnvironment(
  files: readonly ComposeFile[],
  dotEnv: Variables = {},
): Record<string, string> {
  const environments = files.map(
    (file) => read(file, dotEnv).services.server?.environment as Record<string, unknown>,
  )
  const merged = Object.assign({}, dotEnv, ...environments) as Record<string, unknown>
  return Object.fromEntries(Object.entries(merged).map(([name, value]) => [name, String(value)]))
}
