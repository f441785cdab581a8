/**
 * Validates the claims of an external issuer's token, in a JWT (RFC 9068) or an introspection
 * response (RFC 7662): its type, issuer, audience, lifetime and scopes.
 */

import { z } from 'zod'
import type { ExternalIssuer, ScopeMap } from '../config.ts'
import { type Claims, claimAt } from '../upstream/claim-path.ts'
import { scopesFor } from './scopes.ts'

export interface TokenRules {
  readonly issuer: string
  /** Accepted `iss`; `{tenantid}` stands for the claim `tid`, which must be one of `tenants`. */
  readonly tokenIssuers: readonly string[]
  readonly tenants: readonly string[]
  /** `aud` must contain one of these; ignores a trailing slash. */
  readonly audiences: readonly string[]
  readonly clientsWithoutAudience: readonly string[]
  readonly scopeClaims: readonly string[]
  readonly scopeMap: ScopeMap
  readonly maxAgeSeconds: number
}

/** The validated claims of a token. */
export interface TokenFacts {
  readonly issuer: string
  readonly subject: string
  /** Empty where no claim names the client. */
  readonly clientId: string
  readonly scopes: readonly string[]
  /** The same as the issuer names them. */
  readonly issuerScopes: readonly string[]
  /** All claims of the token or of its introspection response. */
  readonly claims: Claims
  /** Unix time in milliseconds; 0 without `iat`. */
  readonly issuedAt: number
  readonly expiresAt: number
}

/** The token is refused. The message is for the operator and contains no part of the token. */
export class TokenRefused extends Error {}

const DEFAULT_SCOPE_CLAIMS = ['scope', 'scp']
/** Claims in which issuers name the client; RFC 9068 defines the first. */
const CLIENT_CLAIMS = ['client_id', 'azp', 'cid', 'appid'] as const
/**
 * Claims of ID tokens (OpenID Connect Core 1.0, 2 and 3.3.2.11), and of logout tokens (`events`).
 */
const NOT_IN_ACCESS_TOKENS = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events']

const claimsForm = z.object({
  iss: z.string().optional(),
  sub: z.string().min(1).optional(),
  iat: z.number().optional(),
  exp: z.number().optional(),
  aud: z.union([z.string(), z.array(z.string())]).optional(),
  client_id: z.string().optional(),
  azp: z.string().optional(),
  cid: z.string().optional(),
  appid: z.string().optional(),
  tid: z.string().optional(),
})

type TokenClaims = z.output<typeof claimsForm>

/**
 * Refuses ID tokens, which issuers sign with the same keys and which are meant for the client, not
 * for a resource server (token confusion). Accepts the type `at+jwt` (RFC 9068, 2.1) or Cognito's
 * claim `token_use`. A token of type `JWT` must contain scopes, which ID tokens never do, or
 * another configured claim such as `roles`. Since ID tokens may have that one too, the token must
 * then also name its client, and `aud` must not be that client.
 * @throws TokenRefused
 */
export function requireAccessToken(
  payload: Claims,
  typ: string | undefined,
  { scopeClaims }: Pick<TokenRules, 'scopeClaims'>,
): void {
  refuseOtherKinds(payload)
  if (isOfRfc9068(typ)) return
  if (typ !== undefined && mediaType(typ) !== 'jwt')
    throw new TokenRefused('typ is neither at+jwt nor JWT')
  if (payload.token_use !== undefined) return
  if (DEFAULT_SCOPE_CLAIMS.some((claim) => claim in payload)) return
  const claims = [...new Set([...DEFAULT_SCOPE_CLAIMS, ...scopeClaims])]
  if (!claims.some((claim) => claimAt(payload, claim) !== undefined)) {
    throw new TokenRefused(`typ is not at+jwt, and none of ${claims.join(', ')} is there`)
  }
  const client = CLIENT_CLAIMS.map((claim) => payload[claim]).find((value) => value !== undefined)
  if (client === undefined) {
    throw new TokenRefused(`typ is not at+jwt, and none of ${CLIENT_CLAIMS.join(', ')} is there`)
  }
  const audience = [payload.aud].flat()
  if (audience.length > 0 && audience.every((each) => each === client)) {
    throw new TokenRefused('typ is not at+jwt, and aud names the client, as in ID tokens')
  }
}

/** Whether a JWT's header declares an access token of RFC 9068 (2.1). */
export function isOfRfc9068(typ: string | undefined): boolean {
  return typ !== undefined && mediaType(typ) === 'at+jwt'
}

function mediaType(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, '')
}

/** Refuses refresh, ID and logout tokens, which introspection may also report as active. */
export function refuseOtherKinds(payload: Claims): void {
  const foreign = NOT_IN_ACCESS_TOKENS.find((claim) => claim in payload)
  if (foreign !== undefined) throw new TokenRefused(`${foreign} is not in access tokens`)
  const { token_use: use, typ } = payload
  if (use !== undefined && use !== 'access' && use !== 'access_token') {
    throw new TokenRefused('token_use is not access')
  }
  // Keycloak.
  if (typeof typ === 'string' && /^(id|refresh|offline|logout)$/i.test(typ)) {
    throw new TokenRefused(`typ in the payload is ${typ.toLowerCase()}`)
  }
}

/**
 * Validates the claims of a token whose signature or introspection response is valid.
 * @throws TokenRefused
 */
export function factsOf(payload: Claims, rules: TokenRules, nowMs: number): TokenFacts {
  const parsed = claimsForm.safeParse(payload)
  if (!parsed.success) {
    const names = new Set(parsed.error.issues.map(({ path }) => String(path[0])))
    throw new TokenRefused(`${[...names].join(', ')} has another type than it should`)
  }
  const claims = parsed.data
  const clientId = CLIENT_CLAIMS.map((name) => claims[name]).find((id) => id !== undefined) ?? ''
  const subject = claims.sub ?? clientId
  if (subject === '') throw new TokenRefused('sub is missing')
  const issuer = acceptedIssuer(claims, rules)
  checkAudience(claims, clientId, rules)
  return {
    ...{ issuer, subject, clientId, ...scopesIn(payload, rules), claims: payload },
    ...timesOf(claims, rules, nowMs),
  }
}

function timesOf({ iat, exp }: TokenClaims, { maxAgeSeconds }: TokenRules, nowMs: number) {
  if (exp !== undefined && exp * 1000 <= nowMs) throw new TokenRefused('exp: the token has expired')
  if (iat !== undefined && (iat + maxAgeSeconds) * 1000 <= nowMs) {
    throw new TokenRefused('iat is older than OAUTH_TOKEN_MAX_AGE')
  }
  const ageEnds = (iat === undefined ? nowMs : iat * 1000) + maxAgeSeconds * 1000
  return { issuedAt: (iat ?? 0) * 1000, expiresAt: exp === undefined ? ageEnds : exp * 1000 }
}

/**
 * When a JWT was issued, as Unix time in milliseconds. Without `iat`, the earliest time: no token is
 * accepted for longer than the maximum age, so that one with an expiry beyond it is refused.
 * @throws TokenRefused
 */
export function issuedAtOf(
  { iat, exp }: { readonly iat?: number; readonly exp?: number },
  { maxAgeSeconds }: Pick<TokenRules, 'maxAgeSeconds'>,
  nowMs: number,
): number {
  if (iat !== undefined) return iat * 1000
  const earliestMs = ((exp ?? 0) - maxAgeSeconds) * 1000
  if (earliestMs > nowMs) {
    throw new TokenRefused('iat is missing, and exp is further ahead than OAUTH_TOKEN_MAX_AGE')
  }
  return Math.max(earliestMs, 0)
}

/** The issuer as session ids use it. Without `iss`, the configured issuer. */
function acceptedIssuer({ iss, tid }: TokenClaims, rules: TokenRules): string {
  if (iss === undefined) return rules.issuer
  const isAccepted = rules.tokenIssuers.some((pattern) => {
    if (!pattern.includes('{tenantid}')) return isSame(pattern, iss)
    if (tid === undefined || !rules.tenants.includes(tid)) return false
    return isSame(pattern.replaceAll('{tenantid}', tid), iss)
  })
  if (!isAccepted) throw new TokenRefused('iss is not an accepted issuer')
  return isSame(rules.issuer, iss) ? rules.issuer : withoutSlash(iss)
}

function checkAudience({ aud }: TokenClaims, clientId: string, rules: TokenRules): void {
  if (aud === undefined) {
    if (clientId !== '' && rules.clientsWithoutAudience.includes(clientId)) return
    throw new TokenRefused('aud is missing')
  }
  const names = [aud].flat()
  if (!names.some((name) => rules.audiences.some((wanted) => isSame(wanted, name)))) {
    throw new TokenRefused('aud does not name this server')
  }
}

/** Scopes as a string (RFC 9068, 2.2.3) or as a list, from all configured scope claims. */
function scopesIn(payload: Claims, { scopeClaims, scopeMap }: TokenRules) {
  const names = scopeClaims.flatMap((claim) => {
    const value = claimAt(payload, claim)
    // List entries, such as roles, may contain spaces: the map contains the unsplit entry.
    const whole = Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
    const texts = typeof value === 'string' ? [value] : whole
    return [
      ...whole.filter((each) => Object.hasOwn(scopeMap, each)),
      ...texts.flatMap((each) => each.split(' ')),
    ]
  })
  const issuerScopes = [...new Set(names.filter((name) => name !== ''))]
  const scopes = issuerScopes.flatMap((name) => scopesFor(name, scopeMap))
  return { scopes: [...new Set(scopes)], issuerScopes }
}

function isSame(one: string, other: string): boolean {
  return withoutSlash(one) === withoutSlash(other)
}

function withoutSlash(address: string): string {
  return address.replace(/\/$/, '')
}

/**
 * Whether the token acts for its client, without a person. RFC 9068, section 2.2: `sub` then names
 * the client. Entra and Auth0 have claims of their own.
 */
export function isMachineToken({ subject, clientId, claims }: TokenFacts): boolean {
  return subject === clientId || claims.idtyp === 'app' || claims.gty === 'client-credentials'
}

const DAY_SECONDS = 24 * 60 * 60

/**
 * The maximum age of accepted tokens, whatever their own expiry: tombstones of ended sessions live
 * this long.
 */
export function longestExternalTokenSeconds({ tokenMaxAge }: ExternalIssuer): number {
  return tokenMaxAge ?? DAY_SECONDS
}
