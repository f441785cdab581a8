/** Rate-limit response headers, and the 429 error. */

import { AppError } from '../errors.ts'
import type { RateLimitState } from '../store/rate-limits.ts'

/** Response headers exposed through CORS. */
export const RATE_LIMIT_HEADERS = ['RateLimit', 'RateLimit-Policy', 'Retry-After'] as const

/**
 * The headers of draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4, as lists of strings
 * with parameters (RFC 9651): `RateLimit-Policy` has quota and window, `RateLimit` the remaining
 * units and the seconds until reset.
 */
export function rateLimitHeaders(limitStates: readonly RateLimitState[]): Record<string, string> {
  if (limitStates.length === 0) return {}
  const policies = limitStates.map(
    ({ limit, rate }) => `"${limit}";q=${rate.calls};w=${rate.perSeconds}`,
  )
  const left = limitStates.map(
    ({ limit, remaining, secondsLeft }) => `"${limit}";r=${remaining};t=${secondsLeft}`,
  )
  return { 'ratelimit-policy': policies.join(', '), ratelimit: left.join(', ') }
}

/** @throws AppError `too_many_requests` if any limit is exceeded; retry after the longest wait */
export function refuseIfOver(limitStates: readonly RateLimitState[]): void {
  const over = limitStates.filter(({ isOver }) => isOver)
  if (over.length === 0) return
  const seconds = Math.max(...over.map(({ secondsLeft }) => secondsLeft))
  throw new AppError('too_many_requests', `Too many requests. Try again in ${seconds} seconds.`, {
    retryAfterSeconds: seconds,
  })
}
