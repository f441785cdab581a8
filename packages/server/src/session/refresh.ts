/** Access tokens for upstream calls, refreshed before they expire, once across all nodes. */

import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Lock, Store } from '../store/port.ts'
import type { Credentials, IdentityProvider } from '../upstream/identity-provider.ts'
import { ProviderError } from '../upstream/identity-provider.ts'
import type { CredentialStore } from './credentials.ts'
import type { SessionManager } from './manager.ts'

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
}

/** A fresh access token; `rejected` is one the API refused, so that it is not handed out again. */
export type FreshToken = (
  sessionId: string,
  rejected?: string,
  signal?: AbortSignal,
) => Promise<string | undefined>

/**
 * Makes the function that hands out access tokens. It gives undefined when nobody is signed in and
 * throws `login_required` when the sign-in has ended, `upstream_error` when the provider is away.
 */
export function createFreshToken(deps: RefreshDeps): FreshToken {
  const { sessions, credentials, now } = deps
  /** Refreshes under way in this process, so that parallel calls wait for one. */
  const running = new Map<string, Promise<Credentials | undefined>>()

  async function current(sessionId: string): Promise<Credentials | undefined> {
    const session = await sessions.peek(sessionId)
    return session && credentials.read(session)
  }

  return async (sessionId, rejected, signal) => {
    const known = await current(sessionId)
    if (known === undefined || !isStale(known, rejected, now())) return known?.accessToken
    if (known.refreshToken === undefined) {
      // Nothing to refresh with: the API decides whether the token is still good.
      if (rejected === undefined) return known.accessToken
      throw signInEnded()
    }
    const key = `${sessionId} ${known.accessToken}`
    const refresh = running.get(key) ?? refreshOnce(deps, sessionId, known, current)
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

/** Refreshes `stale`, or waits for the node that does. Undefined when the sign-in has ended. */
async function refreshOnce(
  deps: RefreshDeps,
  sessionId: string,
  stale: Credentials,
  current: (sessionId: string) => Promise<Credentials | undefined>,
): Promise<Credentials | undefined> {
  const deadline = deps.now() + WAIT_MS
  while (deps.now() < deadline) {
    const lock = await deps.store.lock(`{${sessionId}}:refresh`, LOCK_SECONDS)
    const known = await current(sessionId)
    if (known?.accessToken !== stale.accessToken) {
      await lock?.release()
      return known
    }
    if (lock !== undefined) return await refreshUnder(lock, deps, sessionId, stale)
    await delay(POLL_MS)
  }
  throw providerAway()
}

async function refreshUnder(
  lock: Lock,
  { credentials, provider, log }: RefreshDeps,
  sessionId: string,
  stale: Credentials,
): Promise<Credentials | undefined> {
  const extending = setInterval(() => {
    lock
      .extend(LOCK_SECONDS)
      .catch((error: unknown) => log.warn({ err: error }, 'refresh lock lost'))
  }, LOCK_EXTEND_MS)
  try {
    const fresh = await provider.refresh(stale)
    if (await credentials.write(sessionId, fresh, lock.token)) return fresh
    // Logged out, or signed in anew, while the provider answered: nobody may use these.
    await provider.revoke(fresh)
    return undefined
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    if (error.code === 'invalid_grant') {
      await credentials.forget(sessionId, lock.token)
      return undefined
    }
    log.warn({ err: error }, 'upstream refresh failed')
    throw providerAway(error)
  } finally {
    clearInterval(extending)
    await lock
      .release()
      .catch((error: unknown) => log.debug({ err: error }, 'lock runs out by itself'))
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

function signInEnded(): AppError {
  return new AppError('login_required', 'Your sign-in has ended. Call `login` to sign in again.')
}

function isProviderAway(error: unknown): boolean {
  return error instanceof AppError && error.code === 'upstream_error'
}

function providerAway(cause?: unknown): AppError {
  return new AppError(
    'upstream_error',
    'The identity provider does not answer. Try again shortly.',
    {
      cause,
      retryAfterSeconds: 5,
    },
  )
}
