/** Sign-out: ends the session on all nodes and revokes its upstream tokens. */

import { shortHash } from '../crypto/hash.ts'
import type { Logger } from '../logger.ts'
import type { IdentityProvider } from '../upstream/identity-provider.ts'
import type { CredentialStore } from './credentials.ts'
import type { KeptSignIns } from './kept-sign-ins.ts'
import type { SessionManager } from './manager.ts'

/** The credentials of one upstream, and the provider that revokes them. */
export interface SignedInUpstream {
  readonly credentials: CredentialStore
  readonly provider: Pick<IdentityProvider, 'revoke'>
}

export interface SignOutDeps extends SignedInUpstream {
  readonly sessions: SessionManager
  readonly keptSignIns: Pick<KeptSignIns, 'take'>
  /** The upstreams after the first. */
  readonly further?: readonly SignedInUpstream[]
  /** Broadcasts the end of a session to all nodes, which close its streams. */
  readonly broadcastEnd: (sessionId: string) => Promise<void>
  readonly log: Pick<Logger, 'audit'>
}

/**
 * Ends the session, then revokes its credentials at every upstream that supports revocation. False
 * if the session had ended already.
 */
export type SignOut = (sessionId: string) => Promise<boolean>

export function createSignOut(deps: SignOutDeps): SignOut {
  const { sessions, keptSignIns, broadcastEnd, log } = deps
  const upstreams = [deps, ...(deps.further ?? [])]
  return async (sessionId) => {
    const session = await sessions.peek(sessionId)
    const signIn = session ?? (await keptSignIns.take(sessionId))
    const held = upstreams.flatMap(({ credentials, provider }) => {
      const found = signIn && credentials.read(signIn)
      return found === undefined ? [] : [() => provider.revoke(found)]
    })
    const ended = await sessions.end(sessionId)
    const facts = { session: shortHash(sessionId), signedIn: held.length > 0 }
    if (ended) log.audit(facts, 'session ended')
    const isSignedIn = held.length > 0
    // The streams of a token outlive the record of an idle session.
    const isOfToken = session === undefined || session.access === 'token'
    const hasStreams = isOfToken || (session.access === 'handle' && isSignedIn)
    if (ended && hasStreams) await broadcastEnd(sessionId)
    await Promise.all(held.map((revoke) => revoke()))
    return ended
  }
}
