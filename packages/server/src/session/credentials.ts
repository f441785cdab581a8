/** Upstream credentials in a session: sealed to it, and written by the newest holder only. */

import { sha256 } from '../crypto/hash.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { Store } from '../store/port.ts'
import type { Credentials } from '../upstream/identity-provider.ts'
import type { SealedCredentials, Session, SessionRecord } from './record.ts'
import { sessionKey } from './record.ts'
import type { RefreshFailure } from './refresh-failure.ts'

const PURPOSE = 'credentials'

/** Other fields change at the same time at most a few times; more than this is a fault. */
const MOST_ATTEMPTS = 20

export interface CredentialStore {
  /** Undefined when there are none, or when they do not decrypt for this session. */
  read(session: Pick<Session, 'id' | 'credentials'>): Credentials | undefined
  /**
   * Keeps credentials and makes the session authenticated. `fence` is the lock's token: a write
   * older than what is there is dropped. False when the session has ended or the write came late.
   */
  write(sessionId: string, credentials: Credentials, fence: number): Promise<boolean>
  /** Forgets credentials that are no longer good, unless newer ones took their place. */
  forget(sessionId: string, fence: number): Promise<void>
  /** Why the credentials could not be refreshed the last time; undefined when nothing failed. */
  failure(session: Session): RefreshFailure | undefined
  /** Keeps the failure beside the credentials, unless newer ones took their place. */
  keepFailure(sessionId: string, failure: RefreshFailure, fence: number): Promise<void>
}

export interface CredentialStoreDeps {
  readonly store: Store
  readonly keyRing: KeyRing
  /** Runs after the record of a session was written; must not reject. */
  readonly onWritten?: (sessionId: string) => Promise<void>
}

/** `upstream` names whose credentials these are; a session can hold those of several. */
export function createCredentialStore(
  { store, keyRing, onWritten }: CredentialStoreDeps,
  upstream: string,
): CredentialStore {
  const context = (sessionId: string) => `${sessionId}:${upstream}`

  async function replace(
    sessionId: string,
    fence: number,
    change: (entry?: SealedCredentials) => Omit<SealedCredentials, 'fence'>,
  ): Promise<boolean> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const session = await store.get<SessionRecord>(sessionKey(sessionId))
      if (session === undefined) return false
      const entry = session.credentials[upstream]
      if ((entry?.fence ?? 0) > fence) return false
      // What was forgotten keeps its place: a late write by an older holder must not fill it.
      const credentials = { ...session.credentials, [upstream]: { ...change(entry), fence } }
      const signedIn = Object.values(credentials).some((each) => each.sealed !== null)
      const state = signedIn ? 'authenticated' : 'anonymous'
      const written = await store.patch(
        sessionKey(sessionId),
        { state, credentials },
        { ifRev: session.rev },
      )
      if (written.outcome === 'written') {
        await onWritten?.(sessionId)
        return true
      }
    }
    throw new Error('The session changes too fast to write its credentials')
  }

  return {
    read(session) {
      const sealed = session.credentials[upstream]?.sealed
      const opened = sealed && keyRing.open(PURPOSE, sealed, context(session.id))
      return opened ? (JSON.parse(opened) as Credentials) : undefined
    },
    write(sessionId, credentials, fence) {
      const sealed = keyRing.seal(PURPOSE, JSON.stringify(credentials), context(sessionId))
      return replace(sessionId, fence, () => ({ sealed }))
    },
    async forget(sessionId, fence) {
      await replace(sessionId, fence, () => ({ sealed: null }))
    },
    failure: (session) => session.credentials[upstream]?.failure,
    async keepFailure(sessionId, failure, fence) {
      await replace(sessionId, fence, (entry) => ({
        sealed: entry?.sealed ?? null,
        failure,
      }))
    },
  }
}

/**
 * The fence of a sign-in, newer than that of any refresh under way, whose late write is dropped.
 * `state` names the sign-in.
 */
export async function newestFence(store: Store, sessionId: string, state: string): Promise<number> {
  const lock = await store.lock(`{${sessionId}}:sign-in:${sha256(state)}`, 1)
  if (lock === undefined) throw new Error('A state was used twice')
  return lock.token
}
