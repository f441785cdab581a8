/** Access tokens: JWTs that are good for as long as the store knows them (RFC 9068). */

import type { JWTVerifyOptions } from 'jose'
import type { AccessToken, Client, JWTStructured } from 'oidc-provider'
import { AppError } from '../../errors.ts'
import type { Entries } from '../../oidc/entries.ts'
import type { SessionManager } from '../../session/manager.ts'
import { type Session, sessionKey } from '../../session/record.ts'
import type { Store } from '../../store/port.ts'
import type { AccessTokens } from '../access-tokens.ts'
import { grantIdFrom } from './grants.ts'
import { type Claims, createReadHs256 } from './hs256.ts'
import type { ResourceNames } from './resource-names.ts'
import type { Signing } from './signing.ts'
import {
  earlierKey,
  grantKey,
  type TokenEntries,
  type TokenEntry,
  tokenKey,
} from './token-entries.ts'

/**
 * The clocks of nodes may differ by this much: how long a token lives is measured by the store, in
 * which its entry expires.
 */
const CLOCK_TOLERANCE_SECONDS = 120

export interface TokenFacts {
  readonly jti: string
  readonly sessionId: string
  /** That of the session in tokens of releases before grants had ids of their own. */
  readonly grantId: string
  readonly clientId: string
  readonly scopes: readonly string[]
  /** Unix time in milliseconds. */
  readonly expiresAt: number
}

export interface TokenReader {
  /**
   * What a token says whose signature, type, issuer, audience and lifetime hold.
   * @throws AppError `unavailable` when the keys cannot be reached
   */
  read(token: string): TokenFacts | undefined | Promise<TokenFacts | undefined>
}

/**
 * Reads tokens, without asking whether the store still knows them.
 * @param now Unix time in milliseconds
 */
export function createTokenReader(
  signing: Signing,
  issuer: string,
  resources: ResourceNames,
  now: () => number,
): TokenReader {
  const expected = {
    typ: 'at+jwt',
    issuer,
    audience: [...resources.all],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    requiredClaims: ['jti', 'exp', 'session_id', 'client_id'],
  }
  const { secret } = signing
  const claimsOf =
    secret === undefined
      ? (token: string) => readWithKeys(signing, token, expected)
      : createReadHs256(secret, expected, now)
  return {
    read(token) {
      const claims = claimsOf(token)
      return claims instanceof Promise ? claims.then(factsOf) : factsOf(claims)
    },
  }
}

function factsOf(claims: Claims | undefined): TokenFacts | undefined {
  if (claims === undefined) return undefined
  const { jti, session_id, grant_id, client_id, exp } = claims
  const scopes = String(claims.scope ?? '')
    .split(' ')
    .filter(Boolean)
  return {
    jti: String(jti),
    sessionId: String(session_id),
    grantId: grantIdFrom(String(session_id), grant_id),
    clientId: String(client_id),
    scopes,
    expiresAt: Number(exp) * 1000,
  }
}

async function readWithKeys(
  { algorithm, verificationKey }: Signing,
  token: string,
  expected: JWTVerifyOptions,
): Promise<Claims | undefined> {
  // RFC 8725, 3.1: what the header names is no choice.
  const options = { ...expected, algorithms: [algorithm] }
  // Not with HS256, which needs nothing of it.
  const { jwtVerify } = await import('jose')
  try {
    return (await jwtVerify(token, verificationKey, options)).payload
  } catch (error) {
    if (error instanceof AppError) throw error
    return undefined
  }
}

export interface AccessTokenDeps {
  readonly reader: TokenReader
  readonly tokens: TokenEntries
  /**
   * Has the entries in the form of the last release. For one release they are written besides: nodes of
   * the last one read no others, and what they revoke is gone from there alone.
   */
  readonly entries: Pick<Entries, 'read' | 'isRevoked'>
  readonly store: Pick<Store, 'getAll'>
  readonly sessions: Pick<SessionManager, 'use' | 'isOver'>
}

/**
 * The bearer check. All that it needs is read in one round trip, and lies in one slot but for the entry
 * of the last release. The store knows what each token was given for, so that not even who has the
 * signing secret makes one that says more.
 */
export function createAccessTokens(deps: AccessTokenDeps): AccessTokens {
  const { reader, tokens, store, sessions } = deps
  return {
    async callerOf(token, presenter) {
      const read = reader.read(token)
      const facts = read instanceof Promise ? await read : read
      if (facts === undefined) return undefined
      const { jti, sessionId, grantId, clientId, scopes } = facts
      presenter?.onSession(sessionId)
      const key = tokenKey(sessionId, jti)
      const keys = [sessionKey(sessionId), key, grantKey(sessionId, grantId)]
      const beside = presenter?.beside
      if (beside !== undefined) keys.push(beside)
      keys.push(earlierKey(key))
      const found = await store.getAll(keys)
      if (beside !== undefined) presenter?.onRead?.(found[3])
      const session = found[0] as Session | undefined
      const [, document, revoked] = found
      if (session === undefined || sessions.isOver(session)) return undefined
      if (revoked !== undefined || found[keys.length - 1] === undefined) return undefined
      const entry =
        document === undefined ? await earlierEntry(deps, facts) : tokens.open(key, document)
      if (entry === undefined || !isEntryOf(entry, facts)) return undefined
      const expiresAt = entry.exp === undefined ? undefined : entry.exp * 1000
      // Not before: a token that was revoked must not keep its session alive.
      const using = sessions.use(session)
      const used = using instanceof Promise ? await using : using
      return { kind: 'token', session: used, grantId, clientId, scopes, expiresAt }
    },
  }
}

type Entry = Pick<TokenEntry, 'clientId' | 'grantId' | 'scope' | 'exp'>

/** The entry that a node of the last release wrote, which does not write others. */
async function earlierEntry(
  { entries }: AccessTokenDeps,
  { jti, sessionId, grantId }: TokenFacts,
): Promise<Entry | undefined> {
  const [stub, isRevoked] = await Promise.all([
    entries.read('AccessToken', jti),
    entries.isRevoked(grantId),
  ])
  if (stub === undefined || isRevoked || stub.payload.accountId !== sessionId) return undefined
  const { clientId = '', scope = '', exp } = stub.payload
  return { clientId, grantId: stub.payload.grantId, scope, exp }
}

function isEntryOf(entry: Entry, token: TokenFacts): boolean {
  if (entry.grantId !== token.grantId || entry.clientId !== token.clientId) return false
  const { scopes } = token
  return entry.scope === (scopes.length === 1 ? scopes[0] : scopes.join(' '))
}

/**
 * Remembers a token that is about to be signed, in the form in which the library keeps opaque
 * tokens, so that its endpoints can look it up and revoke it.
 */
export async function rememberAccessToken(
  token: AccessToken & { readonly client?: Client | undefined },
  { payload }: JWTStructured,
): Promise<void> {
  const { jti, grantId, accountId, clientId, aud, scope, gty, extra } = token
  const { iat, exp } = payload
  const stub = { kind: 'AccessToken', jti, grantId, accountId, clientId, aud, scope, gty, extra }
  await token.adapter.upsert(jti, { ...stub, iat: Number(iat), exp: Number(exp) }, token.expiration)
}
