/** Suggests the known variable for a misspelled name. */

import { facts } from './facts.ts'
import { isOfNamed, isSecretOfNamed } from './named-upstreams.ts'
import { PROXY_ALIASES } from './proxy-variables.ts'
import { variables } from './variables.ts'

/** Variables that hold secrets. */
export const SECRET_NAMES: readonly string[] = Object.entries(variables.shape)
  .filter(([, schema]) => facts.get(schema)?.secret === true)
  .map(([name]) => name)

/** The variable that names a file with the secret. */
export function secretFileVariable(name: string): string {
  return `${name}_FILE`
}

const KNOWN = [...Object.keys(variables.shape), ...SECRET_NAMES.map(secretFileVariable)]
const IS_KNOWN: ReadonlySet<string> = new Set(KNOWN)

function isKnown(name: string): boolean {
  if (IS_KNOWN.has(name) || PROXY_ALIASES.has(name) || isOfNamed(name)) return true
  return name.endsWith('_FILE') && isSecretOfNamed(name.slice(0, -'_FILE'.length))
}

/** Variables that `docker compose` reads from the same file, for `compose.yaml`. */
const OF_COMPOSE: ReadonlySet<string> = new Set(['COMPOSE_FILE', 'PUBLISH', 'REDIS_PASSWORD'])

/**
 * Whether a name may appear in the server's `.env`, including names that only `docker compose`
 * reads.
 */
export function belongsToFramework(name: string): boolean {
  return isKnown(name) || OF_COMPOSE.has(name)
}

/**
 * The known variable that most likely matches a misspelled name. Short names resemble many names in
 * other programs' environments, so they tolerate fewer edits. `own` are the names of a team's
 * settings.
 */
export function nearestKnown(given: string, own: readonly string[] = []): string | undefined {
  if (isKnown(given) || own.includes(given)) return undefined
  const name = given.toUpperCase().replaceAll(/[-.]/g, '_')
  const scored = [...KNOWN, ...own].map((known) => ({ known, distance: distanceTo(known, name) }))
  const near = scored.filter(({ distance }) => distance !== undefined)
  return near.sort((one, other) => (one.distance ?? 0) - (other.distance ?? 0))[0]?.known
}

/** The edit distance; undefined if it is too large for a typing error. */
function distanceTo(known: string, name: string): number | undefined {
  if (withoutSeparators(name) === withoutSeparators(known)) return 0
  // A numbered variant, such as REDIS_URL_2, belongs to another program.
  if (name.replace(/_?\d+$/, '') === known || known.length < 5) return undefined
  const most = known.length < 12 ? 1 : 2
  if (Math.abs(name.length - known.length) > most || !startsAlike(known, name)) return undefined
  const distance = editDistance(known, name)
  return distance <= most ? distance : undefined
}

/** Typing errors seldom change the first letter; other programs' names do. */
function startsAlike(known: string, name: string): boolean {
  if (name[0] === known[0] || name === known.slice(1)) return true
  return name[0] === known[1] && name[1] === known[0]
}

function withoutSeparators(name: string): string {
  return name.replaceAll('_', '')
}

/** Insertions, deletions, substitutions, and swaps of neighbours (optimal string alignment). */
function editDistance(one: string, other: string): number {
  const rows = [Array.from({ length: other.length + 1 }, (_, column) => column)]
  const at = (row: number, column: number) => rows[row]?.[column] ?? 0
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row]
    rows.push(current)
    for (let column = 1; column <= other.length; column += 1) {
      const differs = one[row - 1] === other[column - 1] ? 0 : 1
      const isSwap = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      current[column] = Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + differs,
        isSwap && row > 1 && column > 1 ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
  }
  return at(one.length, other.length)
}
