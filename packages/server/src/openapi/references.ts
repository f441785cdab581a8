/** Resolves local references of a document one at a time; never dereferences it as a whole. */

export type JsonObject = Readonly<Record<string, unknown>>

/** An operation that cannot become a tool; the message is the reason. */
export class UnusableError extends Error {
  override readonly name = 'UnusableError'
}

/** The maximum length of a chain of references. */
const MOST_HOPS = 20

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads an own property: names of a document may be those of `Object.prototype`. */
export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as JsonObject)[name]
    : undefined
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function entriesOf(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : []
}

/**
 * The target of a reference (RFC 6901, section 6).
 * @throws UnusableError for a reference to another document or to a missing target
 */
export function lookUp(root: unknown, reference: string): unknown {
  if (reference !== '#' && !reference.startsWith('#/')) {
    throw new UnusableError(`refers outside of the document: ${reference.slice(0, 100)}`)
  }
  let found = root
  for (const token of reference.split('/').slice(1)) {
    found = member(found, decode(token).replaceAll('~1', '/').replaceAll('~0', '~'))
  }
  if (found === undefined) {
    throw new UnusableError(`refers to a missing part: ${reference.slice(0, 100)}`)
  }
  return found
}

/**
 * Resolves a parameter, body or response if it is a reference.
 * @throws UnusableError
 */
export function follow(root: unknown, value: unknown): JsonObject {
  let found = value
  for (let hop = 0; hop < MOST_HOPS; hop += 1) {
    if (!isObject(found)) return {}
    const reference = member(found, '$ref')
    if (typeof reference !== 'string') return found
    found = lookUp(root, reference)
  }
  throw new UnusableError('has references that lead in a circle')
}

function decode(token: string): string {
  try {
    return decodeURIComponent(token)
  } catch {
    return token
  }
}
