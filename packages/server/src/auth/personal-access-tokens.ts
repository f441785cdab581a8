/** Authenticates personal access tokens; other bearer tokens reach the issuer's check. */

import { shortHash } from '../crypto/hash.ts'
import type { Logger } from '../logger.ts'
import type { TokenCaller } from '../session/caller.ts'
import type { KeptSignIns } from '../session/kept-sign-ins.ts'
import type { SessionManager } from '../session/manager.ts'
import { isPersonalToken, type PersonalTokens, sessionOfToken } from '../session/personal-tokens.ts'
import {
  type AuthorizationRecord,
  authorizationKey,
  narrowedScopes,
  type Session,
  sessionKey,
} from '../session/record.ts'
import type { Document, Store, Stored } from '../store/port.ts'
import type { AccessTokens, TokenPresenter } from './access-tokens.ts'

export interface PersonalAccessTokenDeps {
  readonly store: Pick<Store, 'getAll'>
  readonly sessions: Pick<SessionManager, 'createWithId' | 'expiration' | 'retrieve' | 'use'>
  readonly keptSignIns: Pick<KeptSignIns, 'restore'>
  readonly personalTokens: PersonalTokens
  readonly log: Pick<Logger, 'warn'>
}

/** Accepts personal access tokens, and passes all others to `others`. */
export function withPersonalTokens(
  deps: PersonalAccessTokenDeps,
  others: AccessTokens,
): AccessTokens {
  const { store, personalTokens, log } = deps

  /** Records the use in the background, without delaying the call. */
  function noteUse(sessionId: string, record: Partial<AuthorizationRecord>): void {
    personalTokens
      .used(sessionId, record)
      .catch((error: unknown) =>
        log.warn({ err: error }, 'use of a personal access token not recorded'),
      )
  }

  async function personalCaller(
    token: string,
    presenter: TokenPresenter | undefined,
  ): Promise<TokenCaller | undefined> {
    const sessionId = sessionOfToken(token)
    presenter?.onSession(sessionId)
    const prefetchKey = presenter?.prefetchKey
    const keys = [sessionKey(sessionId), authorizationKey(sessionId)]
    if (prefetchKey !== undefined) keys.push(prefetchKey)
    const found = await store.getAll(keys)
    if (prefetchKey !== undefined) presenter?.onPrefetched?.(found[2])
    const record = found[1] as Stored<AuthorizationRecord & Document> | undefined
    const facts = personalTokens.open(sessionId, record)
    if (facts === undefined || record === undefined) return undefined
    const session = await openSession(deps, sessionId, found[0] as Session | undefined, record.name)
    if (session === undefined) return undefined
    noteUse(sessionId, record)
    return {
      kind: 'token',
      session,
      isPersonal: true,
      clientId: `personal-token:${shortHash(sessionId)}`,
      scopes: narrowedScopes(facts.scopes, record),
      expiresAt: facts.expiresAt,
    }
  }

  return {
    callerOf: (token, presenter) =>
      isPersonalToken(token) ? personalCaller(token, presenter) : others.callerOf(token, presenter),
  }
}

/** The session, recreated with its sign-in if it expired from idleness; undefined if it ended. */
async function openSession(
  { sessions, keptSignIns }: PersonalAccessTokenDeps,
  id: string,
  found: Session | undefined,
  name: string | undefined,
): Promise<Session | undefined> {
  if (found !== undefined && !sessions.expiration.isOver(found)) return sessions.use(found)
  await sessions.createWithId(id, 'token', name === undefined ? {} : { clientName: name })
  await keptSignIns.restore(id)
  return sessions.retrieve(id)
}
