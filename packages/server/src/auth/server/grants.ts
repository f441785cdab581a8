/**
 * Grants and the sessions they stand for. Each consent makes a grant; several may stand for one
 * session, which ends with the last of them.
 */

import { sha256 } from '../../crypto/hash.ts'
import type { SessionManager } from '../../session/manager.ts'
import type { Store } from '../../store/port.ts'

/** The id of the grant that an authorization makes, which is the same however often it is approved. */
export function grantIdOf(sessionId: string, uid: string): string {
  return `${sessionId}.gra_${sha256(uid)}`
}

/** Grants of releases before this one have the id of their session. */
export function sessionOfGrant(grantId: string): string {
  return grantId.split('.')[0] ?? grantId
}

/** What tokens name the grant by, beside their session. */
export function grantClaimOf(grantId: string | undefined): string | undefined {
  return grantId?.split('.')[1]
}

export function grantIdFrom(sessionId: string, claim: unknown): string {
  return claim === undefined ? sessionId : `${sessionId}.${String(claim)}`
}

export interface Grants {
  /**
   * Notes a grant of a session, for as long as its code may be exchanged; `continued` when the session
   * had others before.
   */
  add(grantId: string, continued: boolean): Promise<void>
  /** The grant gives a token: it lives as long as its tokens may. */
  used(grantId: string): Promise<void>
  /** A grant is dead, and all that it gave: its session ends if no other grant stands for it. */
  revoked(grantId: string): Promise<void>
}

export interface GrantsDeps {
  readonly store: Pick<Store, 'create' | 'get' | 'patch'>
  readonly signOut: (sessionId: string) => Promise<unknown>
  /** Ends what tokens of the grant have open on all nodes, where the session goes on. */
  readonly broadcastRevoked?: (sessionId: string, grantId: string) => Promise<void>
  /** Unix time in milliseconds. */
  now(): number
}

export interface GrantsOptions {
  /** The longest life of what a grant gives. */
  readonly ttlSeconds: number
  /** From the consent to the exchange of the code, at most. */
  readonly unusedTtlSeconds: number
}

/** When each grant expires, by name: Unix times in milliseconds. */
type Expiries = Readonly<Record<string, unknown>>

/** Apart from the session's record, which is made anew when the session was idle for too long. */
export function createGrants(
  { store, signOut, broadcastRevoked, now }: GrantsDeps,
  { ttlSeconds, unusedTtlSeconds }: GrantsOptions,
): Grants {
  const nameOf = (grantId: string) => grantClaimOf(grantId) ?? grantId

  const expiryIn = (seconds: number) => now() + seconds * 1000

  async function write(sessionId: string, expiries: Expiries, further: Expiries = {}) {
    const key = grantsKey(sessionId)
    const patch = async () => (await store.patch(key, expiries, { ttlSeconds })).outcome
    if ((await patch()) !== 'absent') return
    if (!(await store.create(key, { ...further, ...expiries }, ttlSeconds))) await patch()
  }

  return {
    async add(grantId, continued) {
      const sessionId = sessionOfGrant(grantId)
      // A session of a release before this one has one grant, which has its id.
      const earlier = continued ? { [sessionId]: expiryIn(ttlSeconds) } : {}
      await write(sessionId, { [nameOf(grantId)]: expiryIn(unusedTtlSeconds) }, earlier)
    },
    async used(grantId) {
      await write(sessionOfGrant(grantId), { [nameOf(grantId)]: expiryIn(ttlSeconds) })
    },
    async revoked(grantId) {
      const sessionId = sessionOfGrant(grantId)
      const key = grantsKey(sessionId)
      await store.patch(key, { [nameOf(grantId)]: undefined })
      if (hasAny(await store.get<Expiries>(key), now())) {
        await broadcastRevoked?.(sessionId, grantId)
      } else {
        await signOut(sessionId)
      }
    },
  }
}

/**
 * Whether what a token opened may go on after the token has expired: its grant and its session are
 * alive. Counts as use of the session.
 */
export function createGoesOn({ store, sessions, now }: GoesOnDeps) {
  return async ({ id, grantId }: { readonly id: string; readonly grantId?: string }) => {
    const name = grantClaimOf(grantId)
    if (name !== undefined) {
      const expiries = await store.get<Expiries>(grantsKey(id))
      if (!(Number(expiries?.[name]) > now())) return false
    }
    return sessions.extend(id)
  }
}

export interface GoesOnDeps extends Pick<GrantsDeps, 'now'> {
  readonly store: Pick<Store, 'get'>
  readonly sessions: Pick<SessionManager, 'extend'>
}

function grantsKey(sessionId: string): string {
  return `{${sessionId}}:grants`
}

function hasAny(expiries: Expiries | undefined, time: number): boolean {
  return Object.entries(expiries ?? {}).some(
    ([name, expiry]) => name !== 'rev' && Number(expiry) > time,
  )
}
