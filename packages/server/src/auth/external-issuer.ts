/**
 * Access tokens of an external authorization server (`OAUTH_ISSUER`): JWTs that it signs (RFC 9068),
 * checked with its published keys. It knows nothing of our sessions: each of its subjects has one
 * with each client, opened when a token is first used.
 */

import { errors, type JWTPayload, type JWTVerifyResult, jwtVerify } from 'jose'
import { z } from 'zod'
import { sha256 } from '../crypto/hash.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { isFromBefore, type SessionManager } from '../session/manager.ts'
import type { Session } from '../session/record.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { IssuerKeys } from './issuer-keys.ts'

/**
 * No older token is accepted, whatever its own expiry: for so long a session that was ended is
 * remembered.
 */
export const LONGEST_TOKEN_SECONDS = 24 * 60 * 60

export interface ExternalIssuerOptions {
  readonly issuer: string
  /** Those of which a token must name one; with or without a slash at the end. */
  readonly audiences: readonly string[]
}

export interface ExternalIssuerDeps {
  readonly keys: IssuerKeys
  readonly sessions: SessionManager
  readonly now: () => number
  readonly log: Logger
}

/** Asymmetric ones only: with the others a public key would do as the secret. */
const ALGORITHMS = [
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
]

/** For clocks that run ahead of ours; the expiry is not stretched. */
const CLOCK_TOLERANCE_SECONDS = 30

/** Scopes as text (RFC 9068, 2.2.3) or as a list; the client as issuers name it. */
const claimsForm = z.object({
  sub: z.string().min(1),
  iat: z.number(),
  exp: z.number(),
  aud: z.union([z.string(), z.array(z.string())]),
  scope: z.string().optional(),
  scp: z.union([z.string(), z.array(z.string())]).optional(),
  client_id: z.string().optional(),
  azp: z.string().optional(),
  cid: z.string().optional(),
  appid: z.string().optional(),
})

type Claims = z.output<typeof claimsForm>

export function createExternalIssuer(
  { keys, sessions, now, log }: ExternalIssuerDeps,
  { issuer, audiences }: ExternalIssuerOptions,
): AccessTokens {
  const wanted = new Set(audiences.map(withoutSlash))

  async function verify(token: string): Promise<Claims | undefined> {
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer,
      algorithms: ALGORITHMS,
      requiredClaims: ['exp', 'iat', 'sub', 'aud'],
      maxTokenAge: LONGEST_TOKEN_SECONDS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(now()),
    })
    if (!isAccessToken(payload, protectedHeader)) return undefined
    const claims = claimsForm.safeParse(payload).data
    if (claims === undefined || claims.exp * 1000 <= now()) return undefined
    return [claims.aud].flat().some((each) => wanted.has(withoutSlash(each))) ? claims : undefined
  }

  async function sessionOf(id: string, issuedAt: number): Promise<Session | undefined> {
    const session =
      (await sessions.peek(id)) ??
      (await sessions.createWithId(id, 'token', {}, issuedAt)) ??
      // Another request with the same token was faster.
      (await sessions.peek(id))
    const { endedBefore } = session ?? {}
    // Signed out since: the id lives again because of a newer token than this one.
    if (endedBefore !== undefined && isFromBefore(issuedAt, endedBefore)) return undefined
    return session && sessions.use(session)
  }

  return {
    async callerOf(token, hears) {
      const claims = await verify(token).catch((error: unknown) => {
        if (error instanceof AppError) throw error
        const reason = error instanceof errors.JOSEError ? error.code : 'malformed'
        log.debug({ reason }, 'access token refused')
        return undefined
      })
      if (claims === undefined) return undefined
      const clientId = claims.client_id ?? claims.azp ?? claims.cid ?? claims.appid ?? ''
      const id = `ses_${sha256(JSON.stringify([issuer, claims.sub, clientId]))}`
      hears?.onSession(id)
      const session = await sessionOf(id, claims.iat * 1000)
      if (session === undefined) return undefined
      const expiresAt = claims.exp * 1000
      return { kind: 'token', session, clientId, scopes: scopesOf(claims), expiresAt }
    },
  }
}

/**
 * Issuers sign ID tokens with the same keys, and those are for the client, not for us. An access
 * token says what it is by its type `at+jwt` (RFC 9068, 2.1). One of an issuer that says only `JWT`
 * must carry scopes, which an ID token never does; and what only ID tokens carry (OpenID Connect
 * Core 1.0, 2 and 3.3.2.11) is refused under any type.
 */
function isAccessToken(payload: JWTPayload, { typ }: JWTVerifyResult['protectedHeader']): boolean {
  if (ONLY_IN_ID_TOKENS.some((claim) => claim in payload)) return false
  const type = typ?.toLowerCase().replace(/^application\//, '')
  if (type === 'at+jwt') return true
  return (type === undefined || type === 'jwt') && ('scope' in payload || 'scp' in payload)
}

const ONLY_IN_ID_TOKENS = ['nonce', 'at_hash', 'c_hash', 's_hash']

function scopesOf({ scope, scp }: Claims): string[] {
  const given = [scope ?? scp ?? []].flat()
  return given.flatMap((each) => each.split(' ')).filter((each) => each !== '')
}

function withoutSlash(address: string): string {
  return address.replace(/\/$/, '')
}
