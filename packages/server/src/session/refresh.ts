/** Access tokens for upstream calls, refreshed before they expire, once across all nodes. */

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

/** A token that expires sooner is refreshed before it is used. */
const EXPIRES_SOON_MS = 30_000
/** A holder that died gives way after this; a living one lengthens its lock. */
const LOCK_SECONDS = 3
const LOCK_EXTEND_MS = 1000
/** How long others wait for the holder. */
const WAIT_MS = 12_000
const POLL_MS = 100

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

/** A fresh access token; `rejected` is one the API refused, so that it is not handed out again. */
export type FreshToken = (
  sessionId: string,
  rejected?: string,
  signal?: AbortSignal,
) => Promise<string | undefined>

/** Credentials as they are in the session now, with what happened at their last refresh. */
interface Held {
  readonly credentials: Credentials
  readonly failure: RefreshFailure | undefined
}

/**
 * Makes the function that hands out access tokens. It gives undefined when nobody is signed in and
 * throws `login_required` when the sign-in has ended, `upstream_error` when the provider is
 * unavailable or does not accept this server.
 */
export function createFreshToken(deps: RefreshDeps): FreshToken {
  const { sessions, credentials, now } = deps
  /** Refreshes under way in this process, so that parallel calls wait for one. */
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
      // Nothing to refresh with: the API decides whether the token is still good.
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
      if (isProviderAway(error) && isUsable(known, rejected, now())) return known.accessToken
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

/** Good enough while the provider is away: it has not expired, and the API did not refuse it. */
function isUsable(known: Credentials, rejected: string | undefined, now: number): boolean {
  return known.accessToken !== rejected && known.expiresAt !== undefined && known.expiresAt > now
}

/**
 * Refreshes `stale`, or waits for the node that does. Undefined when the sign-in has ended. A failure
 * counts for all who waited for it, and nobody asks the provider again before its back-off is over.
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
      return await refreshUnder(lock, deps, sessionId, held)
    }
    await delay(POLL_MS)
  }
  // The node that refreshes takes longer than anybody waits.
  throw refreshError(undefined, now())
}

/** One for each upstream: tokens of two are refreshed at the same time. */
function lockKey(sessionId: string, upstream: string | undefined): string {
  const key = `{${sessionId}}:refresh`
  return upstream === undefined ? key : `${key}:${upstream}`
}

async function refreshUnder(
  lock: Lock,
  deps: RefreshDeps,
  sessionId: string,
  held: Held,
): Promise<Credentials | undefined> {
  const { credentials, provider, log } = deps
  const extending = setInterval(() => {
    lock
      .extend(LOCK_SECONDS)
      .catch((error: unknown) => log.warn({ err: error }, 'refresh lock lost'))
  }, LOCK_EXTEND_MS)
  try {
    const fresh = await provider.refresh(held.credentials)
    if (await credentials.write(sessionId, fresh, lock.token)) return fresh
    // Logged out, or signed in anew, while the provider answered: nobody may use these.
    await provider.revoke(fresh)
    return undefined
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    return await afterFailure(lock, deps, sessionId, held.failure, error)
  } finally {
    clearInterval(extending)
    await lock
      .release()
      .catch((error: unknown) => log.debug({ err: error }, 'lock runs out by itself'))
  }
}

/**
 * Forgets credentials that are dead. Keeps them where the provider is unavailable, where this server's
 * own registration is at fault, and where it refuses them without a code that says that they are dead.
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
  // What cannot be kept is tried again sooner; the caller still learns what happened.
  await credentials
    .keepFailure(sessionId, failure, lock.token)
    .catch((reason: unknown) => log.warn({ err: reason }, 'refresh back-off not kept'))
  throw refreshError(failure, now(), error)
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

function isProviderAway(error: unknown): boolean {
  return error instanceof AppError && error.code === 'upstream_error'
}
