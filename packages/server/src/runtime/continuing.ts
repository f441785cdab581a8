/** What lets a session go on: with a sign-in, with another grant, and with the streams it has open. */

import { createGoesOn } from '../auth/server/grants.ts'
import type { CredentialStore } from '../session/credentials.ts'
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
 * @param upstream the name of the upstream
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
