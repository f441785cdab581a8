/**
 * Access tokens of the built-in server: JWTs (RFC 9068) that are valid while the store has them.
 */

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
 * Accepted clock skew between nodes. The lifetime of a token does not depend on it, since the TTL
 * of the token's entry in the store enforces the expiry.
 */
const CLOCK_TOLERANCE_SECONDS = 120

export interface TokenFacts {
  readonly jti: string
  readonly sessionId: string
  /** The session id in tokens of releases before grants had their own ids. */
  readonly grantId: string
  readonly clientId: string
  readonly scopes: readonly string[]
  /** Unix time in milliseconds. */
  readonly expiresAt: number
}

export interface TokenReader {
  /**
   * The claims of a token with valid signature, type, issuer, audience and lifetime.
   * @throws AppError `unavailable` when the signing keys cannot be read
   */
  read(token: string): TokenFacts | undefined | Promise<TokenFacts | undefined>
}

/**
 * Verifies tokens without checking the store for revocation.
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
  // RFC 8725, 3.1: the header does not choose the algorithm.
  const options = { ...expected, algorithms: [algorithm] }
  // Lazy import: HS256 does not need the library.
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
   * The entries in the format of the previous release. Both formats are written for one release
   * (rolling upgrade): nodes of the previous release read only their own format, and their
   * revocations remove only entries in it.
   */
  readonly entries: Pick<Entries, 'read' | 'isRevoked'>
  readonly store: Pick<Store, 'getAll'>
  readonly sessions: Pick<SessionManager, 'use' | 'isOver'>
}

/**
 * The bearer check. Batches all reads into one round trip; all keys are in one hash slot except the
 * entry of the previous release. Compares the token with its entry in the store, so that the
 * signing secret alone is not enough to forge a token.
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
      // Only after all checks: a revoked token must not renew its session's TTL.
      const using = sessions.use(session)
      const used = using instanceof Promise ? await using : using
      return { kind: 'token', session: used, grantId, clientId, scopes, expiresAt }
    },
  }
}

type Entry = Pick<TokenEntry, 'clientId' | 'grantId' | 'scope' | 'exp'>

/** The entry written by a node of the previous release, which writes only the earlier format. */
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
 * Stores the entry of a token that is about to be signed, in the library's format for opaque
 * tokens, so that the library's endpoints can find and revoke the token.
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
