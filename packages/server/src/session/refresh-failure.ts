/** Failed refreshes of upstream credentials: when to try again, shared by all nodes, and when to stop. */

import { AppError } from '../errors.ts'
import type { ProviderError } from '../upstream/identity-provider.ts'

/** Kept beside the credentials, until others take their place. */
export interface RefreshFailure {
  /** The provider does not accept this server, rather than that it is unavailable. */
  readonly isClientRefused: boolean
  /** When the provider refused the refresh token without a code that says that it is dead. */
  readonly refusedAt?: number
  /** Failures in a row, and how many of the last ones were unusable answers. */
  readonly count: number
  readonly unusable: number
  /** No node asks the provider before, as Unix time in milliseconds. */
  readonly retryAt: number
}

const SECOND = 1000
const LONGEST_BACKOFF_MS = 60 * SECOND
/** However long a provider asks to wait. */
const LONGEST_WAIT_MS = 300 * SECOND
/** A provider that goes on giving answers of no use has no better one. */
const MOST_UNUSABLE = 3
/** A refusal may be an operator's mistake: tried again this much later, and people sign in meanwhile. */
const REFUSED_WAIT_MS = 300 * SECOND
const LEAST_RETRY_AFTER_SECONDS = 5

/** The failure after `previous`: exponential back-off of 0, 1, 2, 4 … 60 s. */
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

/** Whether it is too early to ask again. A time that no node can have set is of a wrong clock. */
export function mustWait(failure: RefreshFailure | undefined, now: number): boolean {
  const leftMs = (failure?.retryAt ?? now) - now
  return leftMs > 0 && leftMs <= LONGEST_WAIT_MS
}

/** Whether people are asked to sign in again, though the refresh token is kept. */
export function isRefused(failure: RefreshFailure | undefined, now: number): boolean {
  return failure?.refusedAt !== undefined && mustWait(failure, now)
}

/** The person has to sign in again. */
export function signInEnded(): AppError {
  return new AppError('login_required', 'Your sign-in has ended. Sign in again.')
}

/** Whether to give up: the answers are of no use, and only a new sign-in can change that. */
export function isHopeless({ unusable }: RefreshFailure): boolean {
  return unusable >= MOST_UNUSABLE
}

/** What callers are told while the credentials are kept; without a failure, while others refresh. */
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
