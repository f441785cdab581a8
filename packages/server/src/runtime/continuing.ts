/** Continuity of sessions: across sign-ins, grants and open streams. */

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
 * @param ttlSeconds the maximum lifetime of any token
 */
export function createContinuing(deps: ContinuingDeps, upstream: string, ttlSeconds: number) {
  const { sessions, credentials } = deps
  return {
    /** Whether the session has an upstream sign-in. */
    async isSignedIn(sessionId: string): Promise<boolean> {
      const session = await sessions.peek(sessionId)
      return session !== undefined && credentials.read(session) !== undefined
    },
    settleSignIn: createSettleSignIn(deps, { upstream, ttlSeconds }),
    goesOn: createGoesOn(deps),
  }
}

/** If a grant requires a sign-in, keeps the sign-in for the lifetime of the grant: `ttlSeconds`. */
export function keepSignIns(
  { store, log }: { readonly store: Store; readonly log: Pick<Logger, 'warn'> },
  { issuer }: Config['auth'],
  ttlSeconds: number,
) {
  const isKept = issuer.kind === 'built-in' && issuer.login === 'at-authorize'
  const keptSignIns = isKept ? createKeptSignIns({ store }, { ttlSeconds }) : NO_KEPT_SIGN_INS
  return {
    keptSignIns,
    /** Copies the sign-in that was written. After a failure, the next token refresh copies it. */
    onWritten: (sessionId: string) =>
      keptSignIns
        .keep(sessionId)
        .catch((error: unknown) => log.warn({ err: error }, 'sign-in not stored')),
  }
}
