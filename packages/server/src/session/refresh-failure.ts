/**
 * Circuit breaker for failed refreshes of upstream credentials: back-off that all nodes share, and
 * when to give up.
 */

import { AppError } from '../errors.ts'
import type { ProviderError } from '../upstream/identity-provider.ts'

/** Stored next to the credentials until new ones replace them. */
export interface RefreshFailure {
  /** Whether the provider rejects this server's client credentials, as opposed to an outage. */
  readonly isClientRefused: boolean
  /** When the provider rejected the refresh token with a code that does not prove it invalid. */
  readonly refusedAt?: number
  /** Hash of the caller's token whose exchange was rejected; another token may be exchanged. */
  readonly refusedFor?: string
  /** Consecutive failures, and consecutive unusable responses among the latest. */
  readonly count: number
  readonly unusable: number
  /** Earliest retry on any node, as Unix time in milliseconds. */
  readonly retryAt: number
}

const SECOND = 1000
const LONGEST_BACKOFF_MS = 60 * SECOND
/** Upper bound of the provider's `Retry-After`. */
const LONGEST_WAIT_MS = 300 * SECOND
/** Gives up after this many consecutive unusable responses. */
const MOST_UNUSABLE = 3
/** A rejection may be a configuration error: retried after this; until then users sign in again. */
const REFUSED_WAIT_MS = 300 * SECOND
const LEAST_RETRY_AFTER_SECONDS = 5

/** The failure that follows `previous`: exponential back-off of 0, 1, 2, 4 … 60 s. */
export function nextFailure(
  previous: RefreshFailure | undefined,
  error: ProviderError,
  now: number,
): RefreshFailure {
  const count = (previous?.count ?? 0) + 1
  const backoffMs = count === 1 ? 0 : Math.min(SECOND * 2 ** (count - 2), LONGEST_BACKOFF_MS)
  const askedMs = Math.min((error.retryAfterSeconds ?? 0) * SECOND, LONGEST_WAIT_MS)
  const refused = error.isUncertain ? { refusedAt: now } : {}
  const waitMs = error.isUncertain ? REFUSED_WAIT_MS : Math.max(backoffMs, askedMs)
  const isUnusable = error.isUnusable || error.code === 'invalid_response'
  return {
    isClientRefused: error.code === 'invalid_client',
    count,
    unusable: isUnusable ? (previous?.unusable ?? 0) + 1 : 0,
    retryAt: now + waitMs,
    ...refused,
  }
}

/** Whether back-off applies. A time beyond the maximum wait is ignored as clock skew. */
export function mustWait(failure: RefreshFailure | undefined, now: number): boolean {
  const leftMs = (failure?.retryAt ?? now) - now
  return leftMs > 0 && leftMs <= LONGEST_WAIT_MS
}

/** Whether users must sign in again although the refresh token is kept. */
export function isRefused(failure: RefreshFailure | undefined, now: number): boolean {
  return failure?.refusedAt !== undefined && mustWait(failure, now)
}

/** The error for a sign-in that has expired or was revoked: the user must sign in again. */
export function signInEnded(): AppError {
  return new AppError('login_required', 'Your sign-in has ended. Sign in again.')
}

/** Whether to give up: the responses are unusable, and only a new sign-in can help. */
export function isHopeless({ unusable }: RefreshFailure): boolean {
  return unusable >= MOST_UNUSABLE
}

/** The caller's error while credentials are kept; without `failure`: another node is refreshing. */
export function refreshError(
  failure: RefreshFailure | undefined,
  now: number,
  cause?: unknown,
): AppError {
  if (failure?.refusedAt !== undefined) return signInEnded()
  const message = failure?.isClientRefused
    ? 'The identity provider does not accept this server. Only its operator can correct that.'
    : 'The identity provider does not answer. Try again shortly.'
  const seconds = Math.ceil(((failure?.retryAt ?? now) - now) / SECOND)
  const retryAfterSeconds = Math.max(seconds, LEAST_RETRY_AFTER_SECONDS)
  return new AppError('upstream_error', message, { cause, retryAfterSeconds })
}
