/** Derives tool names and titles from a document's operations. */

import { createHash } from 'node:crypto'

/** Some clients refuse longer names. */
const LONGEST_NAME = 64

/** Reserved: the package's own tools, and names that some file systems refuse. */
const TAKEN = /^(login|logout|session|con|prn|aux|nul|(com|lpt)\d)$/

export interface Named {
  readonly method: string
  readonly path: string
  readonly id: string | undefined
}

/**
 * Names every operation, selected or not, so that names are stable. On a conflict the later one is
 * named after its method and path.
 */
export function nameTools(operations: readonly Named[]): string[] {
  const taken = new Set<string>()
  return operations.map((operation) => {
    const { method, path, id = '' } = operation
    const byPath = snakeCase(`${method} ${path}`)
    const byId = snakeCase(id)
    const candidates = [byId, byPath, `${byPath}_${shortHash(`${method} ${path}`)}`]
    const name = candidates
      .filter((candidate) => /^[a-z]/.test(candidate))
      .map((candidate) => shorten(TAKEN.test(candidate) ? `api_${candidate}` : candidate))
      .find((candidate) => !taken.has(candidate))
    const unique = name ?? `operation_${taken.size}`
    taken.add(unique)
    return unique
  })
}

function snakeCase(text: string): string {
  return text
    .slice(0, 500)
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
}

/** Replaces the truncated part with a hash, so that names with a common prefix stay distinct. */
function shorten(name: string): string {
  if (name.length <= LONGEST_NAME) return name
  const hash = shortHash(name)
  return `${name.slice(0, LONGEST_NAME - hash.length - 1).replace(/_+$/, '')}_${hash}`
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 6)
}

/** The title of a name: `Get account` for `get_account`. */
export function titleOfName(name: string): string {
  const words = name.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** An argument name that all clients accept and that is a valid identifier. */
export function argumentName(name: string, taken: ReadonlySet<string>): string {
  const safe = name
    .slice(0, 50)
    .replaceAll(/\W+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
  const start = /^[A-Za-z]/.test(safe) ? safe : `value_${safe}`.replace(/_$/, '')
  // `session` is reserved for the engine's own argument.
  const base = start === 'session' ? 'session_value' : start
  for (let count = 1; ; count += 1) {
    const candidate = count === 1 ? base : `${base}_${count}`
    if (!taken.has(candidate)) return candidate
  }
}
