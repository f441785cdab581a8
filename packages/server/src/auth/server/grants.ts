/**
 * Grants and the sessions they stand for. Each consent makes a grant; several may stand for one
 * session, which ends with the last of them.
 */

import { sha256 } from '../../crypto/hash.ts'
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
  /** Notes a grant of a session; `continued` when the session had others before. */
  add(grantId: string, continued: boolean): Promise<void>
  /** A grant is dead, and all that it gave: its session ends if no other grant stands for it. */
  revoked(grantId: string): Promise<void>
}

export interface GrantsDeps {
  readonly store: Pick<Store, 'create' | 'get' | 'patch'>
  readonly signOut: (sessionId: string) => Promise<unknown>
  /** Ends what tokens of the grant have open on all nodes, where the session goes on. */
  readonly announceRevoked?: (sessionId: string, grantId: string) => Promise<void>
  /** Unix time in milliseconds. */
  now(): number
}

/** When each grant expires, by name: Unix times in milliseconds. */
type Expiries = Readonly<Record<string, unknown>>

/** Apart from the session's record, which is made anew when the session was idle for too long. */
export function createGrants(
  { store, signOut, announceRevoked, now }: GrantsDeps,
  { ttlSeconds }: { readonly ttlSeconds: number },
): Grants {
  const keyOf = (sessionId: string) => `{${sessionId}}:grants`
  const nameOf = (grantId: string) => grantClaimOf(grantId) ?? grantId

  return {
    async add(grantId, continued) {
      const sessionId = sessionOfGrant(grantId)
      const key = keyOf(sessionId)
      const expiry = now() + ttlSeconds * 1000
      const fields = { [nameOf(grantId)]: expiry }
      const write = async () => (await store.patch(key, fields, { ttlSeconds })).outcome
      if ((await write()) !== 'absent') return
      // A session of a release before this one has one grant, which has its id.
      const all = continued ? { ...fields, [sessionId]: expiry } : fields
      if (!(await store.create(key, all, ttlSeconds))) await write()
    },
    async revoked(grantId) {
      const sessionId = sessionOfGrant(grantId)
      const key = keyOf(sessionId)
      await store.patch(key, { [nameOf(grantId)]: undefined })
      if (hasAny(await store.get<Expiries>(key), now())) {
        await announceRevoked?.(sessionId, grantId)
      } else {
        await signOut(sessionId)
      }
    },
  }
}

function hasAny(expiries: Expiries | undefined, time: number): boolean {
  return Object.entries(expiries ?? {}).some(
    ([name, expiry]) => name !== 'rev' && Number(expiry) > time,
  )
}
