/** What lets a session go on: with a sign-in, with another grant, and with the streams it has open. */

import { createGoesOn } from '../auth/server/grants.ts'
import type { Config } from '../config.ts'
import type { Logger } from '../logger.ts'
import type { CredentialStore } from '../session/credentials.ts'
import { createKeptSignIns, NO_KEPT_SIGN_INS } from '../session/kept-sign-ins.ts'
import type { SessionManager } from '../session/manager.ts'
import { createSettleSignIn } from '../session/person-sessions.ts'
import type { Store } from '../store/port.ts'

export interface ContinuingDeps {
  readonly store: Store
  readonly sessions: SessionManager
  readonly credentials: CredentialStore
  /** Unix time in milliseconds. */
  now(): number
}

/**
 * @param upstream the name of the first upstream
 * @param ttlSeconds how long any token may be of use
 */
export function createContinuing(deps: ContinuingDeps, upstream: string, ttlSeconds: number) {
  const { sessions, credentials } = deps
  return {
    /** Whether somebody has signed in upstream for a session. */
    async isSignedIn(sessionId: string): Promise<boolean> {
      const session = await sessions.peek(sessionId)
      return session !== undefined && credentials.read(session) !== undefined
    },
    settleSignIn: createSettleSignIn(deps, { upstream, ttlSeconds }),
    goesOn: createGoesOn(deps),
  }
}

/** Where a sign-in is the condition of a grant, it lives as long as the grant: `ttlSeconds`. */
export function keepSignIns(
  { store, log }: { readonly store: Store; readonly log: Pick<Logger, 'warn'> },
  { issuer }: Config['auth'],
  ttlSeconds: number,
) {
  const isKept = issuer.kind === 'built-in' && issuer.login === 'at-authorize'
  const keptSignIns = isKept ? createKeptSignIns({ store }, { ttlSeconds }) : NO_KEPT_SIGN_INS
  return {
    keptSignIns,
    /** Keeps what was written. What is not kept now is kept when the client refreshes. */
    onWritten: (sessionId: string) =>
      keptSignIns
        .keep(sessionId)
        .catch((error: unknown) => log.warn({ err: error }, 'sign-in not kept')),
  }
}
