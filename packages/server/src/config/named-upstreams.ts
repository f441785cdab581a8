/**
 * The variables of additional upstreams: `UPSTREAM_GITHUB_ISSUER` is UPSTREAM_ISSUER of `github`.
 */

import { applyPreset } from './apply-preset.ts'
import { facts } from './facts.ts'
import type { Faults } from './faults.ts'
import { parseVariables } from './parse-variables.ts'
import type { RawVariables } from './sources.ts'
import { eachUpstream, type UpstreamVariables, upstreamVariables } from './upstream-variables.ts'
import type { Variables } from './variables.ts'

const PREFIX = 'UPSTREAM_'

/** The suffixes of the variables that each upstream has. */
const SUFFIXES = Object.keys(eachUpstream.shape).map((name) => name.slice(PREFIX.length))

const SECRET_SUFFIXES = Object.entries(eachUpstream.shape)
  .filter(([, schema]) => facts.get(schema)?.secret === true)
  .map(([name]) => name.slice(PREFIX.length))

/** Reserved names: methods of an upstream client, and members of every object. */
const TAKEN =
  /^(get|head|post|put|patch|delete|options|request|all|pages|list|stream|upload|download|then|constructor)$/

export interface NamedVariables {
  readonly name: string
  /** The variables, under the names that they have for the first upstream. */
  readonly raw: RawVariables
  readonly variables: UpstreamVariables
  /** Accepts these names, and reports those that the operator has written. */
  readonly faults: Faults
}

/** Whether a name has the form of a variable of an additional upstream, listed or not. */
export function isOfNamed(name: string): boolean {
  return !Object.hasOwn(upstreamVariables, name) && nameIn(name) !== undefined
}

/** Whether a name has the form of a secret of an additional upstream, listed or not. */
export function isSecretOfNamed(name: string): boolean {
  return isOfNamed(name) && SECRET_SUFFIXES.some((suffix) => name.endsWith(`_${suffix}`))
}

/** The variables of all upstreams that UPSTREAMS lists, in its order. */
export function readNamed(
  raw: RawVariables,
  { UPSTREAMS: names, UPSTREAM_NAME: first }: Variables,
  faults: Faults,
): readonly NamedVariables[] {
  refuseNames(names, raw.UPSTREAM_NAME === undefined ? undefined : first, faults)
  refuseUnlisted(raw, names, faults)
  return [...new Set(names)].map((name) => readOne(raw, name, faults))
}

function readOne(raw: RawVariables, name: string, faults: Faults): NamedVariables {
  const prefix = prefixOf(name)
  const renamed = faults.renamed((text) => text.replaceAll(/\bUPSTREAM_/g, prefix))
  const own = SUFFIXES.flatMap((suffix) => {
    const value = raw[prefix + suffix]
    return value === undefined ? [] : [[PREFIX + suffix, value] as const]
  })
  const withPreset = applyPreset(Object.fromEntries(own), renamed)
  const variables = parseVariables(eachUpstream, withPreset, renamed)
  return { name, raw: withPreset, variables, faults: renamed }
}

function refuseNames(names: readonly string[], first: string | undefined, faults: Faults): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) faults.add('UPSTREAMS', `names ${twice} twice`)
  const taken = names.find((name) => TAKEN.test(name))
  if (taken !== undefined) faults.add('UPSTREAMS', `cannot name an upstream ${taken}`)
  if (first !== undefined && names.includes(first)) {
    faults.add('UPSTREAM_NAME', `conflicts with UPSTREAMS, which names ${first} too`)
  }
  const owners = new Map(
    Object.keys(upstreamVariables).map((name) => [name, undefined as string | undefined]),
  )
  for (const name of new Set(names)) {
    for (const suffix of SUFFIXES) {
      const variable = prefixOf(name) + suffix
      const owner = owners.has(variable)
        ? (owners.get(variable) ?? 'the first upstream')
        : undefined
      if (owner !== undefined) {
        faults.add('UPSTREAMS', `cannot name an upstream ${name}: ${variable} is of ${owner}`)
      }
      owners.set(variable, name)
    }
  }
}

/** Reports variables of upstreams that UPSTREAMS does not list: they have no effect. */
function refuseUnlisted(raw: RawVariables, names: readonly string[], faults: Faults): void {
  const prefixes = names.map(prefixOf)
  for (const variable of Object.keys(raw)) {
    if (Object.hasOwn(upstreamVariables, variable) || !variable.startsWith(PREFIX)) continue
    const mine = prefixes.filter((prefix) => variable.startsWith(prefix))
    if (mine.some((prefix) => SUFFIXES.includes(variable.slice(prefix.length)))) continue
    if (mine.length > 0) faults.add(variable, 'is unknown: no upstream has such a variable')
    else if (nameIn(variable) !== undefined) {
      faults.add(variable, `is of an upstream ${nameIn(variable)}, which UPSTREAMS does not name`)
    }
  }
}

function prefixOf(name: string): string {
  return `${PREFIX}${name.toUpperCase().replaceAll('-', '_')}_`
}

/** The name in `UPSTREAM_NAME_SUFFIX`; the longest matching suffix wins. */
function nameIn(variable: string): string | undefined {
  if (!variable.startsWith(PREFIX)) return undefined
  const rest = variable.slice(PREFIX.length)
  const names = SUFFIXES.filter((suffix) => rest.endsWith(`_${suffix}`)).map((suffix) =>
    rest.slice(0, -suffix.length - 1),
  )
  const [name] = names.sort((one, other) => one.length - other.length)
  return name !== undefined && /^[A-Z][A-Z\d_]*$/.test(name)
    ? name.toLowerCase().replaceAll('_', '-')
    : undefined
}
