/** OAuth error responses: the single place that maps errors to OAuth's format. */

import type { ServerResponse } from 'node:http'
import { AppError } from '../../errors.ts'

/** Clients retry after these. After others, an unread body would be parsed as the next request. */
const KEEPS_CONNECTION: ReadonlySet<number> = new Set([413, 429, 503])

/**
 * Writes an OAuth error (RFC 6749, 4.1.2.1 and 5.2). An unavailable store and a rate limit become
 * `temporarily_unavailable`: any other error would make clients discard their tokens.
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
