/** The error for an unsuccessful response, with the tool's own message if `explain` returns one. */

import { discardBody, type Response, readRefusal } from './api-response.ts'
import type { HiddenCredentials } from './hidden-credentials.ts'
import type { Deadline } from './request-deadline.ts'
import { parseRetryAfter } from './retry.ts'
import type { Explain } from './upstream.ts'
import { errorForStatus, type UpstreamError } from './upstream-error.ts'

/** Maximum size of an error body, in bytes. */
const MAX_BYTES = 64 * 1024
const MAX_MS = 2000
/** Maximum length of the explanation, in characters. */
const LONGEST = 500

export interface Refusal {
  readonly hidden: HiddenCredentials
  readonly deadline: Deadline
  /** Unix time in milliseconds. */
  now(): number
  readonly explain: Explain | undefined
  /** Receives the body before `explain`, so that values to mask in the explanation are known. */
  onAnswer(body: unknown): void
}

/**
 * Creates the error and releases the response. Reads the body only for `explain`.
 * @throws what `explain` throws
 */
export async function explainedError(
  response: Response,
  { hidden, deadline, now, explain, onAnswer }: Refusal,
): Promise<UpstreamError> {
  const { statusCode: status, headers } = response
  const retryAfterSeconds = parseRetryAfter(headers['retry-after'], now())
  if (explain === undefined || status < 400 || status >= 500) {
    discardBody(response)
    return errorForStatus(status, { retryAfterSeconds })
  }
  const body = await readInTime(response, hidden, deadline)
  onAnswer(body)
  const explanation = plainWords(explain(status, body), hidden)
  return errorForStatus(status, { retryAfterSeconds, explanation })
}

/** Returns undefined for a body that cannot be read, so that the status is still reported. */
async function readInTime(
  response: Response,
  hidden: HiddenCredentials,
  deadline: Deadline,
): Promise<unknown> {
  const timer = setTimeout(() => response.body.destroy(), MAX_MS)
  try {
    const options = { as: 'text', maxBytes: MAX_BYTES, hidden } as const
    return await deadline.race(readRefusal(response, options))
  } catch {
    const ended = deadline.error()
    if (ended !== undefined) throw ended
    return undefined
  } finally {
    clearTimeout(timer)
    response.body.on('error', () => undefined)
  }
}

/** Strips control characters and truncates. */
function plainWords(words: unknown, hidden: HiddenCredentials): string | undefined {
  if (typeof words !== 'string') return undefined
  // Bounds the search first, truncates after masking: half a credential would not be recognized.
  const text = hidden
    .text(words.slice(0, MAX_BYTES))
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
  if (text === '') return undefined
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1).toWellFormed()}…`
}
