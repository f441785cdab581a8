/** Errors of the upstream API, with messages for users. */

const MESSAGES = {
  upstream_unreachable: 'The service could not be reached.',
  upstream_timeout: 'The service did not answer in time.',
  upstream_rejected: 'The service refused the request.',
  upstream_not_found: 'The service has nothing under that name.',
  upstream_unauthorized: 'The service no longer accepts the sign-in. Sign in again.',
  upstream_rate_limited: 'The service is receiving too many requests. Try again later.',
  upstream_failed: 'The service failed to answer the request.',
  upstream_bad_response: 'The service sent an answer that could not be understood.',
  upstream_too_large: 'The answer of the service is too large.',
  upstream_cancelled: 'The request to the service was cancelled.',
} as const

export type UpstreamErrorCode = keyof typeof MESSAGES

/** Whether it is one of the codes above, rather than a tool's own. */
export function isUpstreamErrorCode(code: string): code is UpstreamErrorCode {
  return Object.hasOwn(MESSAGES, code)
}

export interface UpstreamErrorDetails {
  /** The HTTP status, if there was a response. */
  readonly status?: number | undefined
  /** The upstream's `Retry-After`, in seconds. */
  readonly retryAfterSeconds?: number | undefined
  /** A short technical reason for the log (`ECONNREFUSED`); never anything the upstream sent. */
  readonly reason?: string | undefined
  /** The tool's message from its `explain`, instead of the standard one. */
  readonly explanation?: string | undefined
}

/**
 * A failed call of the upstream API. The code determines the message, unless the tool's `explain`
 * does, so that it cannot leak the upstream's body, the URL, the token or the key to a caller.
 */
export class UpstreamError extends Error {
  readonly code: UpstreamErrorCode
  readonly status: number | undefined
  readonly retryAfterSeconds: number | undefined
  readonly reason: string | undefined

  constructor(code: UpstreamErrorCode, details: UpstreamErrorDetails = {}) {
    super(details.explanation ?? MESSAGES[code])
    this.name = 'UpstreamError'
    this.code = code
    this.status = details.status
    this.retryAfterSeconds = details.retryAfterSeconds
    this.reason = details.reason
  }
}

/** The error for an unsuccessful response (any status but 2xx). */
export function errorForStatus(status: number, more: UpstreamErrorDetails = {}): UpstreamError {
  const details = { ...more, status }
  if (status === 401) return new UpstreamError('upstream_unauthorized', details)
  if (status === 404) return new UpstreamError('upstream_not_found', details)
  if (status === 429) return new UpstreamError('upstream_rate_limited', details)
  if (status >= 500) return new UpstreamError('upstream_failed', details)
  if (status >= 400) return new UpstreamError('upstream_rejected', details)
  // A redirect that the tool did not ask to follow.
  return new UpstreamError('upstream_bad_response', details)
}

/** The error for a request without a complete response (undici's and Node's socket errors). */
export function errorForTransport(error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error
  const { code, name, message } = error as { code?: unknown; name?: unknown; message?: unknown }
  const [, proxyStatus] = /^Proxy response \((\d{3})\)/.exec(String(message)) ?? []
  if (proxyStatus !== undefined) {
    return new UpstreamError('upstream_unreachable', { reason: `proxy ${proxyStatus}` })
  }
  const reason = typeof code === 'string' ? code : String(name)
  const isNotPublic = code === 'ERR_NOT_PUBLIC'
  const garbled = isNotPublic || name === 'HTTPParserError' || reason === 'UND_ERR_HEADERS_OVERFLOW'
  return new UpstreamError(garbled ? 'upstream_bad_response' : 'upstream_unreachable', { reason })
}
