/**
 * The grants of each session. Each consent creates a grant; a session may have several grants and
 * ends with the last one.
 */

import { sha256 } from '../../crypto/hash.ts'
import type { Authorizations } from '../../session/authorizations.ts'
import type { SessionManager } from '../../session/manager.ts'
import type { Store } from '../../store/port.ts'

/** The id of an authorization's grant; deterministic, which makes approvals idempotent. */
export function grantIdOf(sessionId: string, uid: string): string {
  return `${sessionId}.gra_${sha256(uid)}`
}

/** In previous releases, the grant id is the session id. */
export function sessionOfGrant(grantId: string): string {
  return grantId.split('.')[0] ?? grantId
}

/** The `grant_id` claim of tokens, unique within the session. */
export function grantClaimOf(grantId: string | undefined): string | undefined {
  return grantId?.split('.')[1]
}

export interface GrantsDeps {
  readonly store: Pick<Store, 'create' | 'get' | 'patch'>
  readonly signOut: (sessionId: string) => Promise<unknown>
  /** Renewed with the grant. */
  readonly authorizations: Pick<Authorizations, 'used'>
  /** Ends the open streams of the grant's tokens on all nodes, when the session continues. */
  readonly broadcastRevoked?: (sessionId: string, grantId: string) => Promise<void>
  /** Unix time in milliseconds. */
  now(): number
}

export interface GrantsOptions {
  /** The longest lifetime of a grant's tokens. */
  readonly ttlSeconds: number
  /** The longest time from the consent to the exchange of the code. */
  readonly unusedTtlSeconds: number
}

/** When each grant expires, by name: Unix times in milliseconds. */
type Expiries = Readonly<Record<string, unknown>>

export type Grants = ReturnType<typeof createGrants>

/**
 * Stored apart from the session record, which is recreated after the session expired from idleness.
 */
export function createGrants(
  { store, signOut, authorizations, broadcastRevoked, now }: GrantsDeps,
  { ttlSeconds, unusedTtlSeconds }: GrantsOptions,
) {
  const nameOf = (grantId: string) => grantClaimOf(grantId) ?? grantId

  const expiryIn = (seconds: number) => now() + seconds * 1000

  async function write(sessionId: string, expiries: Expiries, further: Expiries = {}) {
    const key = grantsKey(sessionId)
    const patch = async () => (await store.patch(key, expiries, { ttlSeconds })).outcome
    if ((await patch()) !== 'absent') return
    if (!(await store.create(key, { ...further, ...expiries }, ttlSeconds))) await patch()
  }

  return {
    /**
     * Records a grant of a session until its code expires; `continued` if the session may have
     * earlier grants.
     */
    async add(grantId: string, continued: boolean): Promise<void> {
      const sessionId = sessionOfGrant(grantId)
      // A session of a previous release has one grant, whose id is the session id.
      const earlier = continued ? { [sessionId]: expiryIn(ttlSeconds) } : {}
      await write(sessionId, { [nameOf(grantId)]: expiryIn(unusedTtlSeconds) }, earlier)
    },
    /** Extends the record to the lifetime of the grant's tokens when one is issued. */
    async used(grantId: string): Promise<void> {
      const sessionId = sessionOfGrant(grantId)
      await Promise.all([
        write(sessionId, { [nameOf(grantId)]: expiryIn(ttlSeconds) }),
        authorizations.used(sessionId),
      ])
    },
    /** Removes a revoked grant, and ends its session if no other grant is left. */
    async revoked(grantId: string): Promise<void> {
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
 * Whether a stream may continue after its token has expired: grant and session must be alive.
 * Counts as use of the session (sliding expiration).
 */
export function createMayContinue({ store, sessions, now }: MayContinueDeps) {
  return async ({ id, grantId }: { readonly id: string; readonly grantId?: string }) => {
    const name = grantClaimOf(grantId)
    if (name !== undefined) {
      const expiries = await store.get<Expiries>(grantsKey(id))
      if (!(Number(expiries?.[name]) > now())) return false
    }
    return sessions.extend(id)
  }
}

export interface MayContinueDeps extends Pick<GrantsDeps, 'now'> {
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
