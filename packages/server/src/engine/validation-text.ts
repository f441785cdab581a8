/** Formats validation issues as text of bounded size, regardless of the input's size. */

import { z } from 'zod'
import { cutText } from '../well-formed.ts'

/** Maximum number of reported issues. */
const MOST_ISSUES = 10
/** Maximum size of the whole text, in UTF-8. */
const MOST_BYTES = 2000
/** Maximum lengths of one key, of a whole path, and of one message, in characters. */
const LONGEST_KEY = 60
const LONGEST_PATH = 200
const LONGEST_MESSAGE = 400
/** Maximum number of keys in one message. */
const MOST_KEYS = 5

type Issue = Pick<z.core.$ZodIssue, 'path' | 'message'> & { readonly keys?: readonly string[] }

/** Masks text before it is truncated: half a secret would not be recognized. */
type Scrub = (text: string) => string

const asItIs: Scrub = (text) => text

/**
 * Formats the first issues like `z.prettifyError`: a line each, plus one for the path; then the
 * number of further ones. At most 10 issues, and about 2 kB.
 */
export function validationText(issues: readonly Issue[], scrub: Scrub = asItIs): string {
  const lines: string[] = []
  let bytes = 0
  let shown = 0
  for (const issue of issues.slice(0, MOST_ISSUES)) {
    const line = lineOf(issue, scrub)
    bytes += Buffer.byteLength(line) + 1
    if (bytes > MOST_BYTES) break
    lines.push(line)
    shown += 1
  }
  if (issues.length > shown) lines.push(`… and ${issues.length - shown} more`)
  return lines.join('\n')
}

function lineOf(issue: Issue, scrub: Scrub): string {
  const message = cutText(scrub(messageOf(issue, scrub)), LONGEST_MESSAGE)
  const path = z.core.toDotPath((issue.path ?? []).map((key) => cutKey(key, scrub)))
  return path === '' ? `✖ ${message}` : `✖ ${message}\n  → at ${cutText(path, LONGEST_PATH)}`
}

/** Shortens zod's message on unknown keys, which lists all of them at full length. */
function messageOf({ keys, message }: Issue, scrub: Scrub): string {
  if (keys === undefined || !message.startsWith('Unrecognized key')) return message
  const named = keys.slice(0, MOST_KEYS).map((key) => `"${cutKey(key, scrub)}"`)
  const more = keys.length > MOST_KEYS ? ` and ${keys.length - MOST_KEYS} more` : ''
  return `Unrecognized key${keys.length > 1 ? 's' : ''}: ${named.join(', ')}${more}`
}

function cutKey<Key extends PropertyKey>(key: Key, scrub: Scrub): Key | string {
  return typeof key === 'string' ? cutText(scrub(key), LONGEST_KEY) : key
}

/** An issue of a Standard Schema, such as those of the SDK. */
interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Formats issues of a Standard Schema in one line: `messages[0].role: Invalid option`. */
export function faultsText(issues: readonly StandardIssue[]): string {
  const faults = issues.slice(0, MOST_ISSUES).map(({ path = [], message }) => {
    const keys = path.map((step) => (typeof step === 'object' ? step.key : step))
    return keys.length === 0 ? message : `${z.core.toDotPath(keys)}: ${message}`
  })
  return boundedText(faults.join('; '))
}

/** Truncates a foreign message to the same size. */
export function boundedText(text: string): string {
  // One UTF-16 code unit takes at most three bytes in UTF-8.
  return Buffer.byteLength(text) > MOST_BYTES ? cutText(text, Math.floor(MOST_BYTES / 3)) : text
}

/** An error's message for the log; a `ZodError`'s own message is all its issues as JSON. */
export function errorMessage(error: Error, scrub: Scrub = asItIs): string {
  if (error instanceof z.core.$ZodError) return validationText(error.issues, scrub)
  return scrub(error.message)
}
