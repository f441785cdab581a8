/** Visits of the account page: each has a session, named by a cookie, that a person signs in to. */

import { sha256 } from '../crypto/hash.ts'
import { randomValue } from '../crypto/random-id.ts'
import type { SessionManager } from './manager.ts'
import type { Session } from './record.ts'

/** Absolute, without sliding expiration, since the page can revoke access and make tokens. */
export const VISIT_TTL_SECONDS = 30 * 60

export type AccountVisits = ReturnType<typeof createAccountVisits>

export function createAccountVisits(
  sessions: Pick<SessionManager, 'createWithId' | 'peek' | 'touch'>,
) {
  /** A hash, so that a leak of the store does not reveal cookies. */
  const idOf = (cookie: string) => `ses_${sha256(`account-visit:${cookie}`)}`

  return {
    /** Starts a visit: the value of its cookie, and the session to sign in to. */
    async start(): Promise<{ readonly cookie: string; readonly sessionId: string }> {
      const cookie = randomValue()
      const sessionId = idOf(cookie)
      await sessions.createWithId(sessionId, 'page', { clientName: 'Account page' })
      await sessions.touch(sessionId, VISIT_TTL_SECONDS)
      return { cookie, sessionId }
    },
    /** The session of a cookie's visit; undefined before its sign-in, and after its end. */
    async find(cookie: string | undefined): Promise<Session | undefined> {
      const session = cookie === undefined ? undefined : await sessions.peek(idOf(cookie))
      return session?.access === 'page' && session.owner !== undefined ? session : undefined
    },
  }
}
