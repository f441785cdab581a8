/** Continuity of sessions: across sign-ins, grants and open streams. */

import { createMayContinue } from '../auth/server/grants.ts'
import type { Config } from '../config.ts'
import type { Logger } from '../logger.ts'
import type { TokenSession } from '../mcp/nodes/session-ends.ts'
import type { CredentialStore } from '../session/credentials.ts'
import { createKeptSignIns, NO_KEPT_SIGN_INS } from '../session/kept-sign-ins.ts'
import type { SessionManager } from '../session/manager.ts'
import { createSettleSignIn } from '../session/person-sessions.ts'
import { type AuthorizationRecord, authorizationKey } from '../session/record.ts'
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
    mayContinue: createMayContinue(deps),
    /** The latest expiry of the tokens that an external issuer issued for a stream's session. */
    async tokenUntil({ id, since }: Pick<TokenSession, 'id' | 'since'>) {
      const session = await sessions.retrieve(id)
      // A session that was created again is not the one that the stream belongs to.
      return session?.connectedAt === since ? session.tokenUntil : undefined
    },
  }
}

export interface KeepSignInsDeps {
  readonly store: Store
  readonly log: Pick<Logger, 'warn'>
  /** Unix time in milliseconds. */
  now(): number
}

/**
 * If a grant requires a sign-in, keeps the sign-in for the lifetime of the grant: `ttlSeconds`. The
 * sign-in of a personal access token is kept until the token expires.
 */
export function keepSignIns(
  { store, log, now }: KeepSignInsDeps,
  { issuer }: Config['auth'],
  ttlSeconds: number,
) {
  const isBuiltIn = issuer.kind === 'built-in'
  const ofGrants = isBuiltIn && issuer.login === 'at-authorize' ? ttlSeconds : undefined
  const hasTokens = isBuiltIn && issuer.personalTokenTtl !== undefined

  async function ttlOf(sessionId: string): Promise<number | undefined> {
    if (!hasTokens) return ofGrants
    const found = await store.get<AuthorizationRecord>(authorizationKey(sessionId))
    if (found?.kind !== 'personal') return ofGrants
    return Math.max(1, Math.ceil(((found.expiresAt ?? 0) - now()) / 1000))
  }

  const isKept = ofGrants !== undefined || hasTokens
  const keptSignIns = isKept ? createKeptSignIns({ store }, { ttlOf }) : NO_KEPT_SIGN_INS
  return {
    keptSignIns,
    /** Copies the sign-in that was written. After a failure, the next token refresh copies it. */
    onWritten: (sessionId: string) =>
      keptSignIns
        .keep(sessionId)
        .catch((error: unknown) => log.warn({ err: error }, 'sign-in not stored')),
  }
}
