/** Masks values in a tool's other output, such as logs and errors, at any depth. */

import type { Redactor } from '../output/redactor.ts'
import { cutText } from '../well-formed.ts'
import { errorMessage } from './validation-text.ts'

/** Maximum nesting of a log line's fields. */
const DEEPEST = 6
/** Maximum length of an error's message, and of its stack, in characters. */
const LONGEST_TEXT = 10_000

/**
 * Masks known values in names and values. Truncates below `deepest` levels.
 */
export function scrubValue(
  value: unknown,
  redactor: Redactor,
  deepest = DEEPEST,
  depth = 0,
): unknown {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') {
    const scrubbed = redactor.scrub(String(value))
    return scrubbed === String(value) ? value : scrubbed
  }
  if (typeof value !== 'object' || value === null) return value
  if (depth === deepest) return '[too deep]'
  const inside = (item: unknown) => scrubValue(item, redactor, deepest, depth + 1)
  if (value instanceof Error) return scrubError(value, redactor, inside)
  if (Array.isArray(value)) return value.map(inside)
  if ('toJSON' in value && typeof value.toJSON === 'function') return inside(value.toJSON())
  const fields = Object.entries(value).map(([name, item]) => [redactor.scrub(name), inside(item)])
  return Object.fromEntries(fields) as unknown
}

function scrubError(error: Error, redactor: Redactor, inside: (item: unknown) => unknown): Error {
  const { scrub } = redactor
  const copy = new Error(cutText(errorMessage(error, scrub), LONGEST_TEXT))
  copy.name = scrub(String(error.name))
  copy.stack = cutText(scrub(error.stack ?? ''), LONGEST_TEXT)
  if (error.cause !== undefined) copy.cause = inside(error.cause)
  return 'code' in error ? Object.assign(copy, { code: inside(error.code) }) : copy
}
