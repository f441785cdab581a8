/** Hides masked values in what a tool says besides its answer, at any depth. */

import type { Redactor } from '../output/redactor.ts'
import { cutText } from '../well-formed.ts'
import { errorMessage } from './validation-text.ts'

/** Levels of a log line's fields. */
const DEEPEST = 6
/** Characters of an error's message, and of its stack. */
const LONGEST_TEXT = 10_000

/**
 * A value as it may be said: what the tool masks is masked, in names and values. Below `deepest`
 * levels it is cut off.
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
