/**
 * Sign-ins that outlive the session record, which is recreated after it expired from inactivity.
 * With `LOGIN=at-authorize`, a copy is stored next to the record for the lifetime of a grant, and
 * that of a personal access token for its lifetime.
 */

import type { Store } from '../store/port.ts'
import { keptSignInKey, type SealedCredentials, type SessionRecord, sessionKey } from './record.ts'
import { tombstoneKey } from './tombstone.ts'

/** The fields a recreated record lacks: the sign-in, and the owner of the session. */
type KeptSignIn = Pick<SessionRecord, 'credentials' | 'person' | 'grantee' | 'browser'> & {
  readonly [field: string]: unknown
}

export interface KeptSignIns {
  /** Copies the sign-in from the session record; per upstream, the newer credentials win. */
  keep(sessionId: string): Promise<void>
  /** Restores the sign-in into a recreated record. */
  restore(sessionId: string): Promise<void>
  /** Removes and returns the sign-in of a session whose record no longer exists. */
  take(sessionId: string): Promise<Pick<SessionRecord, 'id' | 'credentials'> | undefined>
}

/** No-op implementation, for sign-ins that end with the session record. */
export const NO_KEPT_SIGN_INS: KeptSignIns = {
  keep: async () => undefined,
  restore: async () => undefined,
  take: async () => undefined,
}

/** Optimistic-locking retries; concurrent writers are few, so more conflicts indicate a fault. */
const MOST_ATTEMPTS = 20

/** @param ttlOf how long the sign-in of a session is kept, in seconds; undefined for not at all */
export function createKeptSignIns(
  { store }: { readonly store: Store },
  { ttlOf }: { readonly ttlOf: (sessionId: string) => Promise<number | undefined> },
): KeptSignIns {
  async function keepOnce(sessionId: string, session: SessionRecord): Promise<boolean> {
    const ttlSeconds = await ttlOf(sessionId)
    if (ttlSeconds === undefined) return true
    const key = keptSignInKey(sessionId)
    const kept = await store.get<KeptSignIn>(key)
    const credentials = newest(kept?.credentials, session.credentials)
    const next = { ...signInOf(session), credentials }
    if (kept === undefined) return store.create(key, next, ttlSeconds)
    const { outcome } = await store.patch(key, next, { ifRev: kept.rev, ttlSeconds })
    return outcome === 'written'
  }

  async function restoreOnce(sessionId: string): Promise<boolean> {
    const [kept, session] = await Promise.all([
      store.get<KeptSignIn>(keptSignInKey(sessionId)),
      store.get<SessionRecord>(sessionKey(sessionId)),
    ])
    if (kept === undefined || session === undefined) return true
    const fields = restoredFields(session, kept)
    if (fields === undefined) return true
    const { outcome } = await store.patch(sessionKey(sessionId), fields, { ifRev: session.rev })
    return outcome !== 'conflict'
  }

  return {
    keep: (sessionId) =>
      repeat(async () => {
        const session = await store.get<SessionRecord>(sessionKey(sessionId))
        if (session?.access !== 'token') return true
        if (!(await keepOnce(sessionId, session))) return false
        // Ended concurrently: `end` writes the tombstone before it deletes this copy.
        const ended = await store.get(tombstoneKey(sessionId))
        if (ended !== undefined) await store.delete(keptSignInKey(sessionId))
        return true
      }),
    restore: (sessionId) => repeat(() => restoreOnce(sessionId)),
    async take(sessionId) {
      const kept = await store.take<KeptSignIn>(keptSignInKey(sessionId))
      return kept && { id: sessionId, credentials: kept.credentials }
    },
  }
}

/** Repeats a write that lost against a concurrent one. */
async function repeat(once: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) if (await once()) return
  throw new Error('The session changes too fast to keep its sign-in')
}

/** What a recreated session lacks of its kept sign-in; undefined if nothing. */
function restoredFields(session: SessionRecord, kept: KeptSignIn) {
  const credentials = newest(session.credentials, kept.credentials)
  if (isSame(credentials, session.credentials)) return undefined
  const isSignedIn = Object.values(credentials).some(({ sealed }) => sealed !== null)
  const state: SessionRecord['state'] = isSignedIn ? 'authenticated' : 'anonymous'
  return { ...signInOf(kept), ...signInOf(session), credentials, state }
}

type Entries = Readonly<Record<string, SealedCredentials>>

/** Per upstream, the entry with the higher fencing token; on a tie, that of `some`. */
function newest(some: Entries = {}, others: Entries = {}): Entries {
  const newer = Object.entries(others).filter(
    ([name, { fence }]) => fence > (some[name]?.fence ?? Number.NEGATIVE_INFINITY),
  )
  return { ...some, ...Object.fromEntries(newer) }
}

function isSame(some: Entries, others: Entries): boolean {
  return Object.entries(some).every(([name, { fence }]) => others[name]?.fence === fence)
}

function signInOf({ person, grantee, browser }: Partial<SessionRecord>) {
  return {
    ...(person !== undefined && { person }),
    ...(grantee !== undefined && { grantee }),
    ...(browser !== undefined && { browser }),
  }
}
