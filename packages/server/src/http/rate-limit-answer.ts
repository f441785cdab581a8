/** What answers say of rate limits, and the refusal. */

import { AppError } from '../errors.ts'
import type { RateLimitState } from '../store/rate-limits.ts'

/** What pages of other origins may read of an answer. */
export const RATE_LIMIT_HEADERS = ['RateLimit', 'RateLimit-Policy', 'Retry-After'] as const

/**
 * The headers of draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4: lists of strings with
 * parameters (RFC 9651), the policy with quota and window, the other with what remains and for how
 * many seconds.
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

/** @throws AppError `too_many_requests` when one of them is over, with the time to wait for all */
export function refuseIfOver(limitStates: readonly RateLimitState[]): void {
  const over = limitStates.filter(({ isOver }) => isOver)
  if (over.length === 0) return
  const seconds = Math.max(...over.map(({ secondsLeft }) => secondsLeft))
  throw new AppError('too_many_requests', `Too many requests. Try again in ${seconds} seconds.`, {
    retryAfterSeconds: seconds,
  })
}
