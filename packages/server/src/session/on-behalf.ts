/**
 * Token exchange on behalf of the caller: one node at a time exchanges the token that the external
 * issuer issued for this server for one of the API. The result is encrypted in the session.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { sha256, shortHash } from '../crypto/hash.ts'
import type { Logger } from '../logger.ts'
import type { Lock, Store } from '../store/port.ts'
import {
  type Credentials,
  type IdentityProvider,
  ProviderError,
  type SubjectToken,
} from '../upstream/identity-provider.ts'
import type { CredentialStore } from './credentials.ts'
import { logProviderFailure } from './log-provider-failure.ts'
import type { SessionManager } from './manager.ts'
import type { Session } from './record.ts'
import { isRefused, mustWait, nextFailure, refreshError } from './refresh-failure.ts'
import { holding, LOCK_SECONDS, lockKey, POLL_MS, WAIT_MS } from './refresh-lock.ts'

/** The caller's token; its signature, issuer, audience and lifetime are verified. */
export interface Subject extends SubjectToken {
  /** As the issuer names them: two of its scopes may be one scope of the tools. */
  readonly scopes: readonly string[]
}

/**
 * The session, with valid credentials unless the person must sign in; undefined if it has ended.
 * `rejected` is a token that the API rejected. Leaves credentials of an ordinary sign-in as they are.
 * @throws AppError `upstream_error` when the provider is unavailable, or rejects this server
 */
export type OnBehalf = (
  sessionId: string,
  subject: Subject,
  rejected?: string,
) => Promise<Session | undefined>

export interface OnBehalfDeps {
  readonly store: Store
  readonly sessions: Pick<SessionManager, 'peek'>
  readonly credentials: CredentialStore
  readonly provider: Required<Pick<IdentityProvider, 'exchangeToken' | 'revoke'>>
  readonly now: () => number
  readonly log: Logger
  /** The name of the upstream, unless it is the first. */
  readonly upstream?: string | undefined
}

/** An exchanged token that expires within this time is replaced before use. */
const EXPIRES_SOON_MS = 5000

/**
 * Whether credentials may be used for the caller: those of a sign-in always, exchanged ones until
 * they expire and for tokens with the same scopes, since the provider may have restricted them.
 */
export function isFor(found: Credentials, subject: Subject | undefined, now: number): boolean {
  const { exchangedFor, expiresAt = 0 } = found
  if (exchangedFor === undefined) return true
  return subject !== undefined && exchangedFor === scopesHash(subject) && expiresAt > now
}

function scopesHash({ scopes }: Subject): string {
  return sha256(JSON.stringify([...scopes].sort()))
}

/** One exchange. */
interface Wanted {
  readonly sessionId: string
  readonly subject: Subject
  readonly rejected: string | undefined
}

export function createOnBehalf(deps: OnBehalfDeps): OnBehalf {
  const { sessions, credentials, now } = deps
  const { isDone, exchangeOnce } = createExchange(deps)
  /** Exchanges in progress in this process, so that concurrent calls share one (single flight). */
  const running = new Map<string, Promise<Session | undefined>>()

  return async (sessionId, subject, rejected) => {
    const wanted = { sessionId, subject, rejected }
    const session = await sessions.peek(sessionId)
    if (session === undefined || isDone(session, wanted)) return session
    const failure = credentials.failure(session)
    if (failure?.refusedAt === undefined && mustWait(failure, now())) {
      throw refreshError(failure, now())
    }
    const key = `${sessionId} ${scopesHash(subject)} ${rejected ?? ''}`
    const exchange = running.get(key) ?? exchangeOnce(wanted, failure?.count ?? 0)
    running.set(key, exchange)
    return exchange.finally(() => running.delete(key))
  }
}

function createExchange(deps: OnBehalfDeps) {
  const { sessions, credentials, now } = deps

  function isNeeded(session: Session, { subject, rejected }: Wanted): boolean {
    const found = credentials.read(session)
    if (found === undefined) return true
    if (found.exchangedFor === undefined) return false
    if (found.accessToken === rejected) return true
    return !isFor(found, subject, now() + EXPIRES_SOON_MS)
  }

  /** Whether the provider rejected the same token, and its back-off has not elapsed. */
  function wasRefused(session: Session, { subject }: Wanted): boolean {
    const failure = credentials.failure(session)
    return isRefused(failure, now()) && failure?.refusedFor === sha256(subject.token)
  }

  /** Whether an exchange is not needed, or would be refused again. */
  const isDone = (session: Session, wanted: Wanted) =>
    !isNeeded(session, wanted) || wasRefused(session, wanted)

  /** Exchanges under a distributed lock, or waits for its holder. */
  async function exchangeOnce(wanted: Wanted, failures: number): Promise<Session | undefined> {
    const { sessionId } = wanted
    const deadline = now() + WAIT_MS
    while (now() < deadline) {
      const lock = await deps.store.lock(lockKey(sessionId, deps.upstream), LOCK_SECONDS)
      const session = await sessions.peek(sessionId)
      if (session === undefined || isDone(session, wanted)) {
        await lock?.release()
        return session
      }
      const failure = credentials.failure(session)
      if (failure !== undefined && failure.refusedAt === undefined && failure.count > failures) {
        await lock?.release()
        throw refreshError(failure, now())
      }
      if (lock !== undefined) {
        return holding(lock, deps.log, () => exchangeUnder(lock, deps, wanted, session))
      }
      await delay(POLL_MS)
    }
    // The lock's holder did not finish within the wait.
    throw refreshError(undefined, now())
  }

  return { isDone, exchangeOnce }
}

async function exchangeUnder(
  lock: Lock,
  deps: OnBehalfDeps,
  { sessionId, subject }: Wanted,
  session: Session,
): Promise<Session | undefined> {
  const { credentials, provider, now, upstream } = deps
  const about = { session: shortHash(sessionId), upstream }
  try {
    const fresh = await provider.exchangeToken(subject)
    const exchanged = { ...fresh, exchangedFor: scopesHash(subject) }
    if (!(await credentials.write(sessionId, exchanged, lock.token))) await provider.revoke(fresh)
    return await deps.sessions.peek(sessionId)
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    const isRefusedToken = error.code === 'invalid_grant'
    const failure = {
      ...nextFailure(credentials.failure(session), error, now()),
      ...(isRefusedToken && { refusedFor: sha256(subject.token) }),
      ...(error.code === 'access_denied' && { isClientRefused: true }),
    }
    logFailure(deps, error, about)
    await credentials
      .keepFailure(sessionId, failure, lock.token)
      .catch((reason: unknown) => deps.log.warn({ err: reason }, 'exchange back-off not stored'))
    if (isRefusedToken) return deps.sessions.peek(sessionId)
    throw refreshError(failure, now(), error)
  }
}

function logFailure({ log, upstream }: OnBehalfDeps, error: ProviderError, about: object): void {
  if (error.code !== 'access_denied') {
    logProviderFailure(log, 'token exchange refused', error, { ...about })
    return
  }
  const prefix = upstream === undefined ? '' : `${upstream.toUpperCase().replaceAll('-', '_')}_`
  const check = ['TOKEN_EXCHANGE', 'AUDIENCE', 'SCOPES', 'TOKEN_PARAMETERS']
    .map((name) => `UPSTREAM_${prefix}${name}`)
    .join(', ')
  log.error({ err: error, ...error.facts, ...about, check }, 'token exchange refused')
}
