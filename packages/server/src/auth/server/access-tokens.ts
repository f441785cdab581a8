/** Access tokens: JWTs that are good for as long as the store knows them (RFC 9068). */

import { type JWTVerifyOptions, jwtVerify } from 'jose'
import type { AccessToken, AdapterPayload, Client, JWTStructured } from 'oidc-provider'
import { AppError } from '../../errors.ts'
import type { Entries } from '../../oidc/entries.ts'
import type { SessionManager } from '../../session/manager.ts'
import type { AccessTokens } from '../access-tokens.ts'
import { grantIdFrom } from './grants.ts'
import { type Claims, createReadHs256 } from './hs256.ts'
import type { ResourceNames } from './resource-names.ts'
import type { Signing } from './signing.ts'

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
  read(token: string): Promise<TokenFacts | undefined>
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
    async read(token) {
      const claims = await claimsOf(token)
      if (claims === undefined) return undefined
      const { jti, session_id, grant_id, client_id, scope, exp } = claims
      return {
        jti: String(jti),
        sessionId: String(session_id),
        grantId: grantIdFrom(String(session_id), grant_id),
        clientId: String(client_id),
        scopes: String(scope ?? '')
          .split(' ')
          .filter(Boolean),
        expiresAt: Number(exp) * 1000,
      }
    },
  }
}

async function readWithKeys(
  { algorithm, verificationKey }: Signing,
  token: string,
  expected: JWTVerifyOptions,
): Promise<Claims | undefined> {
  // RFC 8725, 3.1: what the header names is no choice.
  const options = { ...expected, algorithms: [algorithm] }
  try {
    return (await jwtVerify(token, verificationKey, options)).payload
  } catch (error) {
    if (error instanceof AppError) throw error
    return undefined
  }
}

/**
 * The bearer check. What it asks of the store it asks at once: a call waits for one round trip.
 * The store knows what each token was given for, so that not even who has the signing secret can
 * make one that says more.
 */
export function createAccessTokens(
  reader: TokenReader,
  entries: Entries,
  sessions: Pick<SessionManager, 'peek' | 'use'>,
): AccessTokens {
  return {
    async callerOf(token, onSession) {
      const facts = await reader.read(token)
      if (facts === undefined) return undefined
      const { jti, sessionId, grantId, clientId, scopes } = facts
      onSession?.(sessionId)
      const [stub, isRevoked, session] = await Promise.all([
        entries.read('AccessToken', jti),
        entries.isRevoked(grantId),
        sessions.peek(sessionId),
      ])
      if (stub === undefined || isRevoked || session === undefined) return undefined
      const { payload } = stub
      if (!isStubOf(payload, facts)) return undefined
      const expiry = payload.exp === undefined ? {} : { expiresAt: payload.exp * 1000 }
      // Not before: a token that was revoked must not keep its session alive.
      const used = await sessions.use(session)
      return { kind: 'token', session: used, grantId, clientId, scopes, ...expiry }
    },
  }
}

function isStubOf(stub: AdapterPayload, token: TokenFacts): boolean {
  const { accountId, grantId, clientId, scope = '' } = stub
  if (accountId !== token.sessionId || grantId !== token.grantId) return false
  return clientId === token.clientId && scope === token.scopes.join(' ')
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
