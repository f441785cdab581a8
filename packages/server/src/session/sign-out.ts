/** Signing out: the session ends on all nodes, and what was granted to it upstream is revoked. */

import { shortHash } from '../crypto/hash.ts'
import type { Logger } from '../logger.ts'
import type { IdentityProvider } from '../upstream/identity-provider.ts'
import type { CredentialStore } from './credentials.ts'
import type { KeptSignIns } from './kept-sign-ins.ts'
import type { SessionManager } from './manager.ts'

export interface SignOutDeps {
  readonly sessions: SessionManager
  readonly credentials: CredentialStore
  readonly keptSignIns: Pick<KeptSignIns, 'take'>
  readonly provider: Pick<IdentityProvider, 'revoke'>
  /** Tells all nodes that a session of tokens has ended: its streams end wherever they are held. */
  readonly announceEnd: (sessionId: string) => Promise<void>
  readonly log: Pick<Logger, 'audit'>
}

/**
 * Ends the session, then revokes its credentials upstream where the provider can. False when the
 * session had ended before.
 */
export type SignOut = (sessionId: string) => Promise<boolean>

export function createSignOut(deps: SignOutDeps): SignOut {
  const { sessions, credentials, keptSignIns, provider, announceEnd, log } = deps
  return async (sessionId) => {
    const session = await sessions.peek(sessionId)
    const signIn = session ?? (await keptSignIns.take(sessionId))
    const held = signIn && credentials.read(signIn)
    const ended = await sessions.end(sessionId)
    const facts = { session: shortHash(sessionId), signedIn: held !== undefined }
    if (ended) log.audit(facts, 'session ended')
    if (ended && session?.access === 'token') await announceEnd(sessionId)
    if (held !== undefined) await provider.revoke(held)
    return ended
  }
}
