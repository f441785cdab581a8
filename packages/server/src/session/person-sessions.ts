/** Maps a person and client to one session, with `LOGIN=at-authorize`. */

import { sha256 } from '../crypto/hash.ts'
import { randomValue } from '../crypto/random-id.ts'
import type { Store } from '../store/port.ts'
import type { Credentials } from '../upstream/identity-provider.ts'
import { type CredentialStore, newestFence } from './credentials.ts'
import type { SessionManager } from './manager.ts'
import type { Session } from './record.ts'

export interface PersonSessionDeps {
  readonly store: Store
  readonly sessions: Pick<SessionManager, 'peek' | 'update' | 'end'>
  readonly credentials: Pick<CredentialStore, 'read' | 'write'>
}

export interface PersonSessionOptions {
  /** The upstream whose accounts identify people. */
  readonly upstream: string
  /** Lifetime of the mapping after the latest sign-in. */
  readonly ttlSeconds: number
}

/**
 * Resolves the session that a sign-in continues with: the live one of the same account and grantee,
 * to which the credentials are moved, or else the given one. If another session is chosen, the
 * given one ends; its credentials are not revoked upstream.
 */
export type SettleSignIn = (sessionId: string, granteeKey: string) => Promise<string>

/** Optimistic-locking retries: after a conflict, the loser reads what the winner wrote. */
const MOST_ATTEMPTS = 5

export function createSettleSignIn(
  deps: PersonSessionDeps,
  { upstream, ttlSeconds }: PersonSessionOptions,
): SettleSignIn {
  const { store, sessions, credentials } = deps

  async function claim(key: string, sessionId: string): Promise<string> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const known = await store.get<{ sessionId: string }>(key)
      if (known === undefined) {
        if (await store.create(key, { sessionId }, ttlSeconds)) return sessionId
        continue
      }
      const { sessionId: earlier, rev } = known
      const isAlive = earlier === sessionId || (await sessions.peek(earlier))?.person === key
      const next = { sessionId: isAlive ? earlier : sessionId }
      const { outcome } = await store.patch(key, next, { ifRev: rev, ttlSeconds })
      if (outcome === 'written') return next.sessionId
    }
    return sessionId
  }

  async function move(fresh: Session, held: Credentials, to: string): Promise<boolean> {
    const fence = await newestFence(store, to, randomValue())
    if (!(await credentials.write(to, held, fence))) return false
    // In the browser of the latest sign-in, the session's sign-in links require no code.
    if (fresh.browser !== undefined) await sessions.update(to, 'browser', fresh.browser)
    await sessions.end(fresh.id)
    return true
  }

  return async (sessionId, granteeKey) => {
    const fresh = await sessions.peek(sessionId)
    const held = fresh && credentials.read(fresh)
    const sub = held?.account?.sub
    if (fresh === undefined || held === undefined || sub === undefined) return sessionId
    const key = `person:{${sha256(JSON.stringify([upstream, sub, granteeKey]))}}`
    if (fresh.person === undefined) await sessions.update(sessionId, 'person', key)
    const chosen = await claim(key, sessionId)
    if (chosen === sessionId) return sessionId
    return (await move(fresh, held, chosen)) ? chosen : sessionId
  }
}
