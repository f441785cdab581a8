/** The one place where a failure becomes an answer in OAuth's form. */

import type { ServerResponse } from 'node:http'
import { AppError } from '../../errors.ts'

/** Their clients come back. After others a body that nobody has read would be taken for a request. */
const KEEPS_CONNECTION: ReadonlySet<number> = new Set([413, 429, 503])

/**
 * Answers in OAuth's words (RFC 6749, 4.1.2.1 and 5.2). A store that is away, and a limit, are told as
 * something that passes: anything else would make clients drop what they hold.
 */
export function writeOAuthError(response: ServerResponse, failure: unknown): void {
  if (response.headersSent) return
  const known =
    failure instanceof AppError ? failure : new AppError('internal_error', 'Something went wrong.')
  const { status, message, allow } = known
  const seconds = known.retryAfterSeconds ?? (status === 503 ? 1 : undefined)
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    ...(!KEEPS_CONNECTION.has(status) && { connection: 'close' }),
    ...(seconds !== undefined && { 'retry-after': String(seconds) }),
    ...(allow !== undefined && { allow: allow.join(', ') }),
  })
  response.end(JSON.stringify({ error: errorOf(status), error_description: message }))
}

function errorOf(status: number): string {
  if (status === 503 || status === 429) return 'temporarily_unavailable'
  return status < 500 ? 'invalid_request' : 'server_error'
}
