/**
 * Access tokens of an external authorization server (`OAUTH_ISSUER`): verifies JWTs (RFC 9068) with
 * the issuer's published keys, and introspects other tokens (RFC 7662). The issuer knows nothing of
 * our sessions: each pair of subject and client has one, created when a token is first used.
 */

import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import type { ExternalIssuer, Secrets } from '../config.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { SessionManager } from '../session/manager.ts'
import type { Fetch } from '../upstream/provider-fetch.ts'
import type { AccessTokens } from './access-tokens.ts'
import { externalSession, externalSessionId } from './external-sessions.ts'
import { createIntrospection, type Introspect } from './introspection.ts'
import { createIssuerKeys, type IssuerKeys } from './issuer-keys.ts'
import { createIssuerMetadata, type ReadIssuerMetadata } from './issuer-metadata.ts'
import { createRefusedTokens, type LogRefusedToken, reasonOf } from './refused-tokens.ts'
import type { Resources } from './resources.ts'
import {
  factsOf,
  isMachineToken,
  isOfRfc9068,
  issuedAtOf,
  longestExternalTokenSeconds,
  refuseOtherKinds,
  requireAccessToken,
  type TokenFacts,
  type TokenRules,
} from './token-rules.ts'

interface ExternalIssuerOptions extends TokenRules {
  /** Which tokens are sent to the introspection endpoint. */
  readonly introspected: 'none' | 'opaque' | 'always'
}

interface ExternalIssuerDeps {
  readonly keys: IssuerKeys
  readonly introspect: Introspect | undefined
  readonly sessions: SessionManager
  readonly now: () => number
  readonly logRefused: LogRefusedToken
}

/** Asymmetric only, against algorithm confusion: HMAC would accept the public key as the secret. */
const ALGORITHMS = [
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
]

/** For issuers whose clocks run ahead of ours; `factsOf` checks the expiry without tolerance. */
const CLOCK_TOLERANCE_SECONDS = 30

function createExternalIssuer(
  deps: ExternalIssuerDeps,
  options: ExternalIssuerOptions,
): AccessTokens {
  const { sessions, logRefused } = deps
  const factsFor = createFactsFor(deps, options)

  return {
    async callerOf(token, presenter) {
      const addressOf = () => presenter?.address() ?? ''
      const facts = await factsFor(token, addressOf).catch((error: unknown) => {
        if (error instanceof AppError) throw error
        logRefused(token, reasonOf(error))
        return undefined
      })
      if (facts === undefined) return undefined
      const { subject, clientId, scopes, issuerScopes, claims, expiresAt } = facts
      const id = externalSessionId(facts)
      presenter?.onSession(id)
      presenter?.prefetch?.()
      const session = await externalSession(sessions, id, facts)
      if (session === undefined) {
        logRefused(token, 'its user has signed out since')
        return undefined
      }
      const isMachine = isMachineToken(facts)
      const subjectToken = { token, expiresAt, scopes: issuerScopes }
      const known = { clientId, scopes, subject, issuer: options.issuer, claims, expiresAt }
      return { kind: 'token', session, ...known, isMachine, subjectToken }
    },
  }
}

/** Reads the facts of a valid token: verified with the issuer's keys, or introspected. */
function createFactsFor(
  { keys, introspect, now }: Pick<ExternalIssuerDeps, 'keys' | 'introspect' | 'now'>,
  options: ExternalIssuerOptions,
) {
  async function verified(token: string): Promise<TokenFacts> {
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      algorithms: ALGORITHMS,
      requiredClaims: ['iss', 'exp', 'sub'],
      // The age is limited by `exp` instead if there is no `iat`.
      ...(namesIssueTime(token) && { maxTokenAge: options.maxAgeSeconds }),
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(now()),
    })
    requireAccessToken(payload, protectedHeader.typ, options)
    return { ...factsOf(payload, options, now()), issuedAt: issuedAtOf(payload, options, now()) }
  }

  return async (token: string, addressOf: () => string): Promise<TokenFacts> => {
    const { introspected } = options
    const isIntrospected = introspected === 'always' || (introspected === 'opaque' && !isJwt(token))
    if (!isIntrospected || introspect === undefined) return verified(token)
    // Unverified claims are enough to refuse a token.
    if (isJwt(token)) refuseOtherKinds(decodeJwt(token))
    const answer = await introspect(token, addressOf)
    refuseOtherKinds(answer)
    return factsOf(answer, options, now())
  }
}

function isJwt(token: string): boolean {
  try {
    return decodeProtectedHeader(token).alg !== undefined && token.split('.').length === 3
  } catch {
    return false
  }
}

/** Whether `iat` must be valid: if the token has one, or is of RFC 9068, which requires it (2.2). */
function namesIssueTime(token: string): boolean {
  return decodeJwt(token).iat !== undefined || isOfRfc9068(decodeProtectedHeader(token).typ)
}

interface ExternalTokensDeps {
  readonly secrets: Secrets
  readonly sessions: SessionManager
  readonly readMetadata: ReadIssuerMetadata
  readonly fetch: Fetch
  readonly log: Logger
  /** Unix time in milliseconds. */
  readonly now: () => number
}

/** Safe: the configuration permits plain http in production for loopback addresses only. */
const allowInsecureHttp = true

/** Creates the shared reader of the issuer's metadata. */
export function createExternalMetadata(
  { url, tokenIssuers = [] }: ExternalIssuer,
  { fetch, now, log }: Pick<ExternalTokensDeps, 'fetch' | 'now' | 'log'>,
) {
  const options = { issuer: url, tokenIssuers, allowInsecureHttp }
  return createIssuerMetadata(options, { fetch, now, log })
}

/** Assembles the verification from the configuration. */
export function createExternalTokens(
  { secrets, sessions, fetch, log, readMetadata, now }: ExternalTokensDeps,
  issuer: ExternalIssuer,
  resources: Resources,
): AccessTokens {
  const rules = rulesOf(issuer, resources)
  const keys = createIssuerKeys({ allowInsecureHttp }, { readMetadata, fetch, log })
  const { introspection } = issuer
  const introspect =
    introspection &&
    createIntrospection(
      {
        endpoint: introspection.endpoint,
        clientId: introspection.clientId,
        clientSecret: secrets.introspectionClientSecret,
        clientAuth: introspection.auth,
        allowInsecureHttp,
      },
      { issuer: issuer.url, readMetadata, fetch, now, log },
    )
  const logRefused = createRefusedTokens(log, now)
  return createExternalIssuer(
    { keys, introspect, sessions, now, logRefused },
    { ...rules, introspected: introspection?.mode ?? 'none' },
  )
}

function rulesOf(issuer: ExternalIssuer, resources: Resources): TokenRules {
  return {
    issuer: issuer.url,
    tokenIssuers: issuer.tokenIssuers ?? [issuer.url],
    tenants: issuer.tenants ?? [],
    audiences: issuer.audience ?? resources.all.map((resource) => resource.url),
    clientsWithoutAudience: issuer.clientsWithoutAudience ?? [],
    scopeClaims: issuer.scopeClaims ?? ['scope', 'scp'],
    scopeMap: issuer.scopeMap ?? {},
    maxAgeSeconds: longestExternalTokenSeconds(issuer),
  }
}
