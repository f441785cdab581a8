/**
 * Retry policy: idempotent requests only, and the back-off before each retry. There is no
 * circuit breaker: every call has a deadline.
 */

import { UpstreamError } from './upstream-error.ts'

export const MAX_RETRIES = 2
const FIRST_BACKOFF_MS = 200

/** Idempotent methods (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE'])
const RETRYABLE_STATUS = new Set([429, 502, 503, 504])

/** Whether a retry is safe: an idempotent method, or an idempotency key. */
export function isRepeatable(method: string, idempotencyKey: string | undefined): boolean {
  return IDEMPOTENT.has(method) || idempotencyKey !== undefined
}

/** Whether the failure is transient: upstream unreachable, or a retryable status. */
export function isTransient(error: unknown): error is UpstreamError {
  if (!(error instanceof UpstreamError)) return false
  if (error.code === 'upstream_unreachable') return true
  return error.status !== undefined && RETRYABLE_STATUS.has(error.status)
}

/**
 * Milliseconds to wait before retry number `retry` (0 is the first): the upstream's `Retry-After`,
 * else exponential back-off from 200 ms, with jitter of up to one half.
 */
export function backoffMs(error: UpstreamError, retry: number, random: () => number): number {
  if (error.retryAfterSeconds !== undefined) return error.retryAfterSeconds * 1000
  return FIRST_BACKOFF_MS * 2 ** retry * (1 - random() / 2)
}

/** Parses `Retry-After`, in seconds or as a date, to seconds from now (RFC 9110 §10.2.3). */
export function parseRetryAfter(
  header: string | string[] | undefined,
  nowMs: number,
): number | undefined {
  const value = (Array.isArray(header) ? header[0] : header)?.trim()
  if (!value) return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value)
  const date = /^[A-Z]/i.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - nowMs) / 1000))
}
