/**
 * Identity assertions of enterprise identity providers: ID-JAG
 * (draft-ietf-oauth-identity-assertion-authz-grant), the base of MCP's enterprise-managed
 * authorization.
 */

import { compactVerify, decodeJwt, decodeProtectedHeader, errors as jose } from 'jose'
import { errors } from 'oidc-provider'
import { z } from 'zod'
import type { Logger } from '../../logger.ts'
import type { Entries } from '../../oidc/entries.ts'
import type { Fetch } from '../../upstream/provider-fetch.ts'
import { createIssuerKeys, type IssuerKeys } from '../issuer-keys.ts'
import { createIssuerMetadata } from '../issuer-metadata.ts'
import type { ResourceNames } from '../resources.ts'
import { ASSERTION_ALGORITHMS } from './client-assertions.ts'
import type { AssertedSubject } from './derived-sessions.ts'
import { forProvider } from './unavailable.ts'

/** The value of `authorization_grant_profiles_supported` (section 7.2 of the draft). */
export const ID_JAG_PROFILE = 'urn:ietf:params:oauth:grant-profile:id-jag'

const TYPE = 'oauth-id-jag+jwt'
/** Maximum remaining lifetime of an assertion, which bounds how long its `jti` is stored. */
const LONGEST_SECONDS = 600
/** For issuers whose clocks run ahead. An expired assertion gets no tolerance. */
const CLOCK_TOLERANCE_SECONDS = 60

export interface IdentityAssertion {
  readonly subject: AssertedSubject
  /** Undefined if the assertion names none. */
  readonly scopes: readonly string[] | undefined
  /** Identifiers of this server; undefined if the assertion names none. */
  readonly resources: readonly string[] | undefined
}

export interface IdentityAssertionDeps {
  readonly entries: Pick<Entries, 'markUse'>
  readonly resources: ResourceNames
  readonly fetch: Fetch
  readonly log: Logger
  /** Unix time in milliseconds. */
  now(): number
}

export interface IdentityAssertionOptions {
  /** The issuers whose assertions are accepted. */
  readonly issuers: readonly string[]
  /** The issuer of this server: the only accepted audience. */
  readonly audience: string
}

/**
 * Verifies an assertion for the authenticated client, and marks it as used.
 * @throws InvalidGrant, InvalidTarget, and TemporarilyUnavailable while keys cannot be read
 */
export type VerifyAssertion = (assertion: string, clientId: string) => Promise<IdentityAssertion>

/** Section 3.1 of the draft. */
const claimsForm = z.object({
  iss: z.string(),
  sub: z.string().min(1).max(1024),
  aud: z.union([z.string(), z.tuple([z.string()])]),
  client_id: z.string(),
  jti: z.string().min(1),
  exp: z.number(),
  iat: z.number(),
  nbf: z.number().optional(),
  resource: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  scope: z.string().optional(),
  // Refused, since this server cannot enforce them: sender constraints (`cnf`), and RFC 9396.
  cnf: z.undefined().optional(),
  authorization_details: z.undefined().optional(),
})

type AssertionClaims = z.output<typeof claimsForm>

export function createVerifyAssertion(
  deps: IdentityAssertionDeps,
  { issuers, audience }: IdentityAssertionOptions,
): VerifyAssertion {
  const { entries, now } = deps
  const keysBy = new Map(issuers.map((issuer) => [issuer, keysOf(issuer, deps)]))

  async function verify(assertion: string, clientId: string): Promise<IdentityAssertion> {
    const { typ, crit } = decodeProtectedHeader(assertion)
    // RFC 7515, section 4.1.9: `application/` may be left out.
    if (typ?.toLowerCase().replace(/^application\//, '') !== TYPE)
      throw refused(`typ must be ${TYPE}`)
    if (crit !== undefined) throw refused('crit is not supported')
    const claims = claimsForm.safeParse(decodeJwt(assertion)).data
    if (claims === undefined) throw refused('a claim is missing, malformed or not supported')
    const keys = keysBy.get(claims.iss)
    if (keys === undefined) throw refused('the issuer is not one of OAUTH_ID_JAG_ISSUERS')
    const keptSeconds = checkClaims(claims, { audience, clientId, nowMs: now() })
    await forProvider(() => compactVerify(assertion, keys, { algorithms: ASSERTION_ALGORITHMS }))
    const resources = namedResources(claims, deps.resources)
    // RFC 7523, section 3, item 7: refuses a replay. An atomic write of the `jti` covers all nodes.
    const { iss, sub, jti } = claims
    const use = JSON.stringify([iss, jti])
    const isFirst = await forProvider(() => entries.markUse('IdentityAssertion', use, keptSeconds))
    if (!isFirst) throw refused('the assertion was already used')
    const scopes = claims.scope?.split(' ').filter(Boolean)
    return { subject: { iss, sub }, scopes, resources }
  }

  return async (assertion, clientId) => {
    try {
      return await verify(assertion, clientId)
    } catch (error) {
      if (error instanceof jose.JOSEError) throw refused(error.code)
      if (error instanceof TypeError) throw refused('malformed')
      throw error
    }
  }
}

interface Expected {
  readonly audience: string
  readonly clientId: string
  readonly nowMs: number
}

/**
 * RFC 7523, section 3, and section 4.4.1 of the draft.
 * @returns for how many seconds a replay is possible
 */
function checkClaims(claims: AssertionClaims, { audience, clientId, nowMs }: Expected): number {
  const { aud, exp, iat, nbf } = claims
  if ([aud].flat()[0] !== audience) throw refused('aud must be this server alone')
  if (claims.client_id !== clientId) throw refused('client_id is that of another client')
  const seconds = nowMs / 1000
  const latest = seconds + CLOCK_TOLERANCE_SECONDS
  if (exp <= seconds) throw refused('the assertion has expired')
  if (exp > latest + LONGEST_SECONDS) throw refused('exp is too far in the future')
  if (iat > latest || (nbf ?? 0) > latest) throw refused('iat or nbf is in the future')
  return Math.ceil(exp - seconds) + CLOCK_TOLERANCE_SECONDS
}

/** The assertion's resources, all of which must be of this server. */
function namedResources(
  { resource }: AssertionClaims,
  { all, spelled }: ResourceNames,
): readonly string[] | undefined {
  if (resource === undefined) return undefined
  const named = [resource].flat().map(spelled)
  if (!named.every((each) => all.includes(each))) throw new errors.InvalidTarget()
  return named
}

/** The keys of one issuer, by its metadata. The configuration permits plain http for development. */
function keysOf(issuer: string, { fetch, log }: IdentityAssertionDeps): IssuerKeys {
  const options = { issuer, allowInsecureHttp: true, variable: 'OAUTH_ID_JAG_ISSUERS' }
  const { read: readMetadata } = createIssuerMetadata(options, { fetch, log, now: Date.now })
  return createIssuerKeys(options, { readMetadata, fetch, log })
}

/** `reason` is for the log only; the client receives a generic `invalid_grant`. */
function refused(reason: string): errors.InvalidGrant {
  return new errors.InvalidGrant(reason)
}
