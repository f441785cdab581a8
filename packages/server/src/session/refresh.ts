/** Access tokens for upstream calls, refreshed before they expire, by one node at a time. */

import { setTimeout as delay } from 'node:timers/promises'
import { shortHash } from '../crypto/hash.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Lock, Store } from '../store/port.ts'
import type { Credentials, IdentityProvider } from '../upstream/identity-provider.ts'
import { ProviderError } from '../upstream/identity-provider.ts'
import type { CredentialStore } from './credentials.ts'
import { logProviderFailure } from './log-provider-failure.ts'
import type { SessionManager } from './manager.ts'
import {
  isHopeless,
  mustWait,
  nextFailure,
  type RefreshFailure,
  refreshError,
  signInEnded,
} from './refresh-failure.ts'
import { holding, LOCK_SECONDS, lockKey, POLL_MS, WAIT_MS } from './refresh-lock.ts'

/** A token that expires within this time is refreshed before use. */
const EXPIRES_SOON_MS = 30_000

export interface RefreshDeps {
  readonly store: Store
  readonly sessions: SessionManager
  readonly credentials: CredentialStore
  readonly provider: IdentityProvider
  readonly now: () => number
  readonly log: Logger
  /** The name of the upstream, unless it is the first. */
  readonly upstream?: string | undefined
}

/** Returns a valid access token; `rejected`, a token that the API rejected, forces a refresh. */
export type FreshToken = (
  sessionId: string,
  rejected?: string,
  signal?: AbortSignal,
) => Promise<string | undefined>

/** The session's current credentials, with the failure of their last refresh. */
interface Held {
  readonly credentials: Credentials
  readonly failure: RefreshFailure | undefined
}

/**
 * Creates the function that returns access tokens. It returns undefined if nobody is signed in; it
 * throws `login_required` if the sign-in has expired or was revoked, and `upstream_error` if the
 * provider is unavailable or rejects this server's client credentials.
 */
export function createFreshToken(deps: RefreshDeps): FreshToken {
  const { sessions, credentials, now } = deps
  /** Refreshes in progress in this process, so that concurrent calls share one (single flight). */
  const running = new Map<string, Promise<Credentials | undefined>>()

  async function current(sessionId: string): Promise<Held | undefined> {
    const session = await sessions.peek(sessionId)
    const read = session && credentials.read(session)
    return read && { credentials: read, failure: credentials.failure(session) }
  }

  return async (sessionId, rejected, signal) => {
    const held = await current(sessionId)
    const known = held?.credentials
    if (known === undefined || !isStale(known, rejected, now())) return known?.accessToken
    if (known.refreshToken === undefined) {
      // No refresh token: the API decides whether the access token is still valid.
      if (rejected === undefined) return known.accessToken
      throw signInEnded()
    }
    const key = `${sessionId} ${known.accessToken}`
    const refresh = running.get(key) ?? refreshOnce(deps, sessionId, held, current)
    running.set(key, refresh)
    try {
      const fresh = await Promise.race([refresh, ...(signal ? [aborted(signal)] : [])])
      if (fresh === undefined) throw signInEnded()
      return fresh.accessToken
    } catch (error) {
      if (isProviderUnavailable(error) && isUsable(known, rejected, now())) return known.accessToken
      throw error
    } finally {
      running.delete(key)
    }
  }
}

function isStale(known: Credentials, rejected: string | undefined, now: number): boolean {
  if (known.accessToken === rejected) return true
  return known.expiresAt !== undefined && known.expiresAt - now < EXPIRES_SOON_MS
}

/** Usable while the provider is unavailable: not expired, and not rejected by the API. */
function isUsable(known: Credentials, rejected: string | undefined, now: number): boolean {
  return known.accessToken !== rejected && known.expiresAt !== undefined && known.expiresAt > now
}

/**
 * Refreshes `stale` under a distributed lock, or waits for its holder. Undefined if the sign-in has
 * ended. All waiters share a failure, and no node retries before its back-off has elapsed.
 */
async function refreshOnce(
  deps: RefreshDeps,
  sessionId: string,
  stale: Held | undefined,
  current: (sessionId: string) => Promise<Held | undefined>,
): Promise<Credentials | undefined> {
  const { now } = deps
  if (stale?.failure && mustWait(stale.failure, now())) throw refreshError(stale.failure, now())
  const failures = stale?.failure?.count ?? 0
  const deadline = now() + WAIT_MS
  while (now() < deadline) {
    const lock = await deps.store.lock(lockKey(sessionId, deps.upstream), LOCK_SECONDS)
    const held = await current(sessionId)
    if (held?.credentials.accessToken !== stale?.credentials.accessToken) {
      await lock?.release()
      return held?.credentials
    }
    if (held?.failure && held.failure.count > failures) {
      await lock?.release()
      throw refreshError(held.failure, now())
    }
    if (lock !== undefined && held !== undefined) {
      return await holding(lock, deps.log, () => refreshUnder(lock, deps, sessionId, held))
    }
    await delay(POLL_MS)
  }
  // The lock's holder did not finish within the wait.
  throw refreshError(undefined, now())
}

async function refreshUnder(
  lock: Lock,
  deps: RefreshDeps,
  sessionId: string,
  held: Held,
): Promise<Credentials | undefined> {
  const { credentials, provider } = deps
  try {
    const fresh = await provider.refresh(held.credentials)
    if (await credentials.write(sessionId, fresh, lock.token)) return fresh
    // The user signed out or signed in again meanwhile: revokes these tokens.
    await provider.revoke(fresh)
    return undefined
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    return await afterFailure(lock, deps, sessionId, held.failure, error)
  }
}

/**
 * Deletes credentials that the provider declares invalid. Keeps them if the provider is
 * unavailable, if this server's own client registration is at fault, or if the error code does not
 * prove them invalid.
 */
async function afterFailure(
  lock: Lock,
  { credentials, log, now, upstream }: RefreshDeps,
  sessionId: string,
  previous: RefreshFailure | undefined,
  error: ProviderError,
): Promise<undefined> {
  const failure = nextFailure(previous, error, now())
  const session = shortHash(sessionId)
  const isDead = error.code === 'invalid_grant' && !error.isUncertain
  if (isDead || isHopeless(failure)) {
    log.info(
      { err: error, ...error.facts, session, upstream },
      'upstream sign-in ended by the provider',
    )
    await credentials.forget(sessionId, lock.token)
    return undefined
  }
  logProviderFailure(log, 'upstream refresh failed', error, { session, upstream })
  // If the failure cannot be stored, the retry comes sooner; the caller still gets the error.
  await credentials
    .keepFailure(sessionId, failure, lock.token)
    .catch((reason: unknown) => log.warn({ err: reason }, 'refresh back-off not stored'))
  throw refreshError(failure, now(), error)
}

/** Rejects with the signal's reason once it aborts. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

function isProviderUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === 'upstream_error'
}
