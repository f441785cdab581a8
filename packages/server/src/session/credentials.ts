/** Upstream credentials of a session: encrypted for that session, written under a fencing token. */

import { sha256 } from '../crypto/hash.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { Store } from '../store/port.ts'
import type { Credentials } from '../upstream/identity-provider.ts'
import type { SealedCredentials, Session, SessionRecord } from './record.ts'
import { sessionKey } from './record.ts'
import type { RefreshFailure } from './refresh-failure.ts'

const PURPOSE = 'credentials'

/** Optimistic-locking retries; other fields rarely change concurrently, so more are a fault. */
const MOST_ATTEMPTS = 20

export interface CredentialStoreDeps {
  readonly store: Store
  readonly keyRing: KeyRing
  /** Called after each write to a session's record; must not reject. */
  readonly onWritten?: (sessionId: string) => Promise<void>
  /** The `owner` of a session with this account; for the upstream that identifies people. */
  readonly ownerOf?: (subject: string) => string
}

export type CredentialStore = ReturnType<typeof createCredentialStore>

/** `upstream` names the upstream of these credentials; a session can hold those of several. */
export function createCredentialStore(deps: CredentialStoreDeps, upstream: string) {
  const { keyRing, ownerOf } = deps
  const context = (sessionId: string) => `${sessionId}:${upstream}`
  const replace = createReplace(deps, upstream)

  return {
    /** The credentials; undefined without any, or if they do not decrypt for this session. */
    read(session: Pick<Session, 'id' | 'credentials'>): Credentials | undefined {
      const sealed = session.credentials[upstream]?.sealed
      const opened = sealed && keyRing.open(PURPOSE, sealed, context(session.id))
      return opened ? (JSON.parse(opened) as Credentials) : undefined
    },
    /**
     * Writes credentials and marks the session authenticated. `fence` is the lock's fencing token:
     * a write with a lower one is dropped. False if the session has ended or the write was dropped.
     */
    write(sessionId: string, credentials: Credentials, fence: number): Promise<boolean> {
      const sealed = keyRing.seal(PURPOSE, JSON.stringify(credentials), context(sessionId))
      const subject = credentials.account?.sub
      const owner = subject === undefined ? undefined : ownerOf?.(subject)
      return replace(sessionId, fence, () => ({ sealed }), owner)
    },
    /** Deletes revoked or expired credentials, unless newer ones replaced them. */
    async forget(sessionId: string, fence: number): Promise<void> {
      await replace(sessionId, fence, () => ({ sealed: null }))
    },
    /** The failure of the last refresh; undefined if it succeeded. */
    failure: (session: Session): RefreshFailure | undefined =>
      session.credentials[upstream]?.failure,
    /** Stores the failure next to the credentials, unless newer ones replaced them. */
    async keepFailure(sessionId: string, failure: RefreshFailure, fence: number): Promise<void> {
      await replace(sessionId, fence, (entry) => ({
        sealed: entry?.sealed ?? null,
        failure,
      }))
    },
  }
}

/** Writes the entry of one upstream, with optimistic locking. */
function createReplace(
  { store, onWritten }: Pick<CredentialStoreDeps, 'store' | 'onWritten'>,
  upstream: string,
) {
  return async function replace(
    sessionId: string,
    fence: number,
    change: (entry?: SealedCredentials) => Omit<SealedCredentials, 'fence'>,
    owner?: string,
  ): Promise<boolean> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const session = await store.get<SessionRecord>(sessionKey(sessionId))
      if (session === undefined) return false
      const entry = session.credentials[upstream]
      if ((entry?.fence ?? 0) > fence) return false
      // Deleted credentials leave a tombstone with their fence, which blocks late stale writes.
      const credentials = { ...session.credentials, [upstream]: { ...change(entry), fence } }
      const signedIn = Object.values(credentials).some((each) => each.sealed !== null)
      const state = signedIn ? 'authenticated' : 'anonymous'
      const written = await store.patch(
        sessionKey(sessionId),
        { state, credentials, ...(owner !== undefined && { owner }) },
        { ifRev: session.rev },
      )
      if (written.outcome === 'written') {
        await onWritten?.(sessionId)
        return true
      }
    }
    throw new Error('The session changes too fast to write its credentials')
  }
}

/**
 * A fencing token for a sign-in, higher than that of any refresh in progress, whose late write is
 * then dropped. `state` identifies the sign-in.
 */
export async function newestFence(store: Store, sessionId: string, state: string): Promise<number> {
  const lock = await store.lock(`{${sessionId}}:sign-in:${sha256(state)}`, 1)
  if (lock === undefined) throw new Error('A state was used twice')
  return lock.token
}
