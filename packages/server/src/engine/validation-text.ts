/** What is wrong with a value, in words and within bounds: who sends much is not told much. */

import { z } from 'zod'
import { cutText } from '../well-formed.ts'

/** Of more faults nobody learns anything. */
const MOST_ISSUES = 10
/** UTF-8, of all faults together. */
const MOST_BYTES = 2000
/** Characters of one key, of a whole path, and of one message. */
const LONGEST_KEY = 60
const LONGEST_PATH = 200
const LONGEST_MESSAGE = 400
/** Keys that one message names. */
const MOST_KEYS = 5

type Issue = Pick<z.core.$ZodIssue, 'path' | 'message'> & { readonly keys?: readonly string[] }

/** Changes texts before they are cut, since half a secret is one, too. */
type Scrub = (text: string) => string

const asItIs: Scrub = (text) => text

/**
 * The first faults as text, a line for each and one for its place, as `z.prettifyError` writes them;
 * then how many more there are. At most 10 faults, and about 2 kB.
 */
export function validationText(issues: readonly Issue[], scrub: Scrub = asItIs): string {
  const lines: string[] = []
  let bytes = 0
  let told = 0
  for (const issue of issues.slice(0, MOST_ISSUES)) {
    const line = lineOf(issue, scrub)
    bytes += Buffer.byteLength(line) + 1
    if (bytes > MOST_BYTES) break
    lines.push(line)
    told += 1
  }
  if (issues.length > told) lines.push(`… and ${issues.length - told} more`)
  return lines.join('\n')
}

function lineOf(issue: Issue, scrub: Scrub): string {
  const message = cutText(scrub(messageOf(issue, scrub)), LONGEST_MESSAGE)
  const path = z.core.toDotPath((issue.path ?? []).map((key) => cutKey(key, scrub)))
  return path === '' ? `✖ ${message}` : `✖ ${message}\n  → at ${cutText(path, LONGEST_PATH)}`
}

/** zod names all unknown keys, whatever their number and length. */
function messageOf({ keys, message }: Issue, scrub: Scrub): string {
  if (keys === undefined || !message.startsWith('Unrecognized key')) return message
  const named = keys.slice(0, MOST_KEYS).map((key) => `"${cutKey(key, scrub)}"`)
  const more = keys.length > MOST_KEYS ? ` and ${keys.length - MOST_KEYS} more` : ''
  return `Unrecognized key${keys.length > 1 ? 's' : ''}: ${named.join(', ')}${more}`
}

function cutKey<Key extends PropertyKey>(key: Key, scrub: Scrub): Key | string {
  return typeof key === 'string' ? cutText(scrub(key), LONGEST_KEY) : key
}

/** A message that somebody else wrote, cut to the same size. */
export function boundedText(text: string): string {
  // A unit of UTF-16 has three bytes of UTF-8 at most.
  return Buffer.byteLength(text) > MOST_BYTES ? cutText(text, Math.floor(MOST_BYTES / 3)) : text
}

/** An error's message, for the log; that of a `ZodError` would be all its issues as JSON. */
export function errorMessage(error: Error, scrub: Scrub = asItIs): string {
  if (error instanceof z.core.$ZodError) return validationText(error.issues, scrub)
  return scrub(error.message)
}
