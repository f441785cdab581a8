/** What lets a session go on: with a sign-in, with another grant, and with the streams it has open. */

import { createGoesOn } from '../auth/server/grants.ts'
import type { Config } from '../config.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { Logger } from '../logger.ts'
import { createCredentialStore } from '../session/credentials.ts'
import { createKeptSignIns, NO_KEPT_SIGN_INS } from '../session/kept-sign-ins.ts'
import type { SessionManager } from '../session/manager.ts'
import { createSettleSignIn } from '../session/person-sessions.ts'
import type { Store } from '../store/port.ts'

export interface ContinuingDeps {
  readonly store: Store
  readonly keyRing: KeyRing
  readonly sessions: SessionManager
  readonly log: Pick<Logger, 'warn'>
  /** Unix time in milliseconds. */
  now(): number
}

/**
 * Where a sign-in is the condition of a grant, it lives as long as that.
 * @param upstream the name of the upstream
 * @param ttlSeconds how long any token may be of use
 */
export function createContinuing(
  deps: ContinuingDeps,
  { issuer }: Config['auth'],
  upstream: string,
  ttlSeconds: number,
) {
  const { store, keyRing, sessions, log } = deps
  const isKept = issuer.kind === 'built-in' && issuer.login === 'at-authorize'
  const keptSignIns = isKept ? createKeptSignIns({ store }, { ttlSeconds }) : NO_KEPT_SIGN_INS
  // What is not kept now is kept when the client refreshes: the write that came before it counts.
  const onWritten = (sessionId: string) =>
    keptSignIns
      .keep(sessionId)
      .catch((error: unknown) => log.warn({ err: error }, 'sign-in not kept'))
  const credentials = createCredentialStore({ store, keyRing, onWritten }, upstream)
  return {
    credentials,
    keptSignIns,
    /** Whether somebody has signed in upstream for a session. */
    async isSignedIn(sessionId: string): Promise<boolean> {
      const session = await sessions.peek(sessionId)
      return session !== undefined && credentials.read(session) !== undefined
    },
    settleSignIn: createSettleSignIn({ store, sessions, credentials }, { upstream, ttlSeconds }),
    goesOn: createGoesOn(deps),
  }
}
