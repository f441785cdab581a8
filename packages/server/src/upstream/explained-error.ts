/** The error for an answer that is none, in the tool's own words where it has some. */

import type { HiddenCredentials } from './hidden-credentials.ts'
import type { Deadline } from './request-deadline.ts'
import { discardBody, type Response, readRefusal } from './response-body.ts'
import { parseRetryAfter } from './retry.ts'
import type { Explain } from './upstream.ts'
import { errorForStatus, type UpstreamError } from './upstream-error.ts'

/** Of a body that is read for its words, in bytes. */
const MAX_BYTES = 64 * 1024
const MAX_MS = 2000
/** Of the words, in characters. */
const LONGEST = 500

export interface Refusal {
  readonly hidden: HiddenCredentials
  readonly deadline: Deadline
  /** Unix time in milliseconds. */
  now(): number
  readonly explain: Explain | undefined
  /** Sees the body before `explain`, so that masked values in the words are known. */
  onAnswer(body: unknown): void
}

/**
 * Releases the response. Bodies are read for `explain` alone.
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

/** A body that cannot be read must not hide the status. */
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

/** Without control characters, and cut. */
function plainWords(words: unknown, hidden: HiddenCredentials): string | undefined {
  if (typeof words !== 'string') return undefined
  // Cut first to a size that is quick to search, later to the length: half a credential is one.
  const text = hidden
    .text(words.slice(0, MAX_BYTES))
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
  if (text === '') return undefined
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1).toWellFormed()}…`
}
