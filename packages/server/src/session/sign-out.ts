/** Signing out: the session ends on all nodes, and what was granted to it upstream is revoked. */

import { shortHash } from '../crypto/hash.ts'
import type { Logger } from '../logger.ts'
import type { IdentityProvider } from '../upstream/identity-provider.ts'
import type { CredentialStore } from './credentials.ts'
import type { SessionManager } from './manager.ts'

export interface SignOutDeps {
  readonly sessions: SessionManager
  readonly credentials: CredentialStore
  readonly provider: Pick<IdentityProvider, 'revoke'>
  /** Notifies all nodes of the end of a session that streams may belong to: they end with it. */
  readonly announceEnd: (sessionId: string) => Promise<void>
  readonly log: Pick<Logger, 'audit'>
}

/**
 * Ends the session, then revokes its credentials upstream where the provider can. False when the
 * session had ended before.
 */
export type SignOut = (sessionId: string) => Promise<boolean>

export function createSignOut(deps: SignOutDeps): SignOut {
  const { sessions, credentials, provider, announceEnd, log } = deps
  return async (sessionId) => {
    const session = await sessions.peek(sessionId)
    const held = session && credentials.read(session)
    const ended = await sessions.end(sessionId)
    const facts = { session: shortHash(sessionId), signedIn: held !== undefined }
    if (ended) log.audit(facts, 'session ended')
    const hasStreams = session?.access === 'token' || (session?.access === 'handle' && held)
    if (ended && hasStreams) await announceEnd(sessionId)
    if (held !== undefined) await provider.revoke(held)
    return ended
  }
}
