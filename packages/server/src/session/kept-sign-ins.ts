/**
 * Sign-ins that outlive the session's record, which is made anew after it was idle for too long. With
 * `LOGIN=at-authorize` they are kept beside it for as long as a grant may live.
 */

import type { Store } from '../store/port.ts'
import { keptSignInKey, type SealedCredentials, type SessionRecord, sessionKey } from './record.ts'
import { tombstoneKey } from './tombstone.ts'

/** What a record made anew cannot know: the sign-in, and whose session it is. */
type KeptSignIn = Pick<SessionRecord, 'credentials' | 'person' | 'grantee' | 'browser'> & {
  readonly [field: string]: unknown
}

export interface KeptSignIns {
  /** Keeps what the session's record has now; of each upstream's credentials the newer ones stay. */
  keep(sessionId: string): Promise<void>
  /** Gives it back to a record that was made anew. */
  restore(sessionId: string): Promise<void>
  /** Takes out what is kept of a session whose record is gone. */
  take(sessionId: string): Promise<Pick<SessionRecord, 'id' | 'credentials'> | undefined>
}

/** For sign-ins that end with the session's record. */
export const NO_KEPT_SIGN_INS: KeptSignIns = {
  keep: async () => undefined,
  restore: async () => undefined,
  take: async () => undefined,
}

/** Other writers change a record a few times at once; more than this is a fault. */
const MOST_ATTEMPTS = 20

/** @param ttlSeconds the longest life of a grant */
export function createKeptSignIns(
  { store }: { readonly store: Store },
  { ttlSeconds }: { readonly ttlSeconds: number },
): KeptSignIns {
  async function keepOnce(sessionId: string, session: SessionRecord): Promise<boolean> {
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
    const credentials = newest(session.credentials, kept.credentials)
    if (isSame(credentials, session.credentials)) return true
    const isSignedIn = Object.values(credentials).some(({ sealed }) => sealed !== null)
    const state: SessionRecord['state'] = isSignedIn ? 'authenticated' : 'anonymous'
    const fields = { ...signInOf(kept), ...signInOf(session), credentials, state }
    const { outcome } = await store.patch(sessionKey(sessionId), fields, { ifRev: session.rev })
    return outcome !== 'conflict'
  }

  async function repeat(once: () => Promise<boolean>): Promise<void> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) if (await once()) return
    throw new Error('The session changes too fast to keep its sign-in')
  }

  return {
    keep: (sessionId) =>
      repeat(async () => {
        const session = await store.get<SessionRecord>(sessionKey(sessionId))
        if (session?.access !== 'token') return true
        if (!(await keepOnce(sessionId, session))) return false
        // Ended meanwhile: the tombstone is written before what is kept is deleted.
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

type Entries = Readonly<Record<string, SealedCredentials>>

/** Of each upstream the entry that was written last; of equals the first. */
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
