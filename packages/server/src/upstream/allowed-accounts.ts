/**
 * The signed-in account, from the ID token or userinfo, and the allow-list of accounts that may use
 * this server (`UPSTREAM_ALLOW`).
 */

import { domainToASCII } from 'node:url'
import { type Configuration, fetchProtectedResource, type IDToken } from 'openid-client'
import type { AllowRule } from '../config.ts'
import { type Claims, claimAt } from './claim-path.ts'
import type { Credentials } from './identity-provider.ts'
import { providerError } from './provider-failure.ts'
import type { Operate } from './provider-operation.ts'
import type { OpenIdProviderOptions } from './provider-options.ts'

/** Whether one of the rules matches. An email counts only if the same claims say it is verified. */
export function allowedBy(rules: readonly AllowRule[]): (claims: Claims) => boolean {
  return (claims) => {
    const email = verifiedEmail(claims)
    return rules.some((rule) => {
      if (rule.kind === 'claim') return holds(claimAt(claims, rule.claim), rule.value)
      if (email === undefined) return false
      if (rule.kind === 'domain') return email.domain === rule.domain
      return `${email.local}@${email.domain}` === inLowerCase(rule.email)
    })
  }
}

/**
 * Checks the ID token, then userinfo. Never merges their claims, so that `email_verified` of one
 * cannot verify the `email` of the other.
 * @throws ProviderError `account_refused`, or `provider_unavailable` if a required userinfo fails
 */
export async function requireAllowed(
  { isAllowed }: OpenIdProviderOptions,
  operate: Operate,
  accessToken: string,
  idToken: IDToken | undefined,
): Promise<void> {
  if (isAllowed === undefined || (idToken !== undefined && isAllowed(idToken))) return
  const claims = await operate((configuration) => fetchUserinfo(configuration, accessToken))
  const sub = subjectOf(claims)
  // OpenID Connect Core 1.0 §5.3.2: userinfo with another `sub` must not be used.
  const isSame = sub !== undefined && (idToken === undefined || idToken.sub === claims?.sub)
  if (isSame && isAllowed({ ...claims, sub })) return
  throw providerError('account_refused', 'UPSTREAM_ALLOW does not name this account')
}

/** OpenID Connect Core 1.0 §5.1; some providers send the boolean as a string. */
function verifiedEmail({ email, email_verified: verified }: Claims) {
  if (typeof email !== 'string' || (verified !== true && verified !== 'true')) return undefined
  // Restricts the host's characters: `domainToASCII` would cut it off at a slash.
  const [, local, host] = /^([^\s@]+)@([\p{L}\p{N}.-]+)$/u.exec(email) ?? []
  if (local === undefined || host === undefined) return undefined
  return { local: inLowerCase(local), domain: domainToASCII(host).toLowerCase() }
}

/** ASCII letters only: Unicode case mapping could turn an address into that of another account. */
function inLowerCase(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}

function holds(claim: unknown, value: string): boolean {
  if (Array.isArray(claim)) return claim.some((each) => isScalar(each) && String(each) === value)
  return isScalar(claim) && String(claim) === value
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}

/** Separate from the exchange's timeout, so that slow userinfo cannot fail the sign-in. */
const USERINFO_MS = 1000

type Account = NonNullable<Credentials['account']>

/** The account in an ID token's claims. */
export function accountOf(claims: IDToken): Account {
  return { sub: claims.sub, ...nameAndEmail(claims) }
}

/**
 * Fetches userinfo if the ID token has neither name nor email. Best effort: a missing name does not
 * fail the sign-in.
 */
export async function findAccount(
  operate: Operate,
  accessToken: string,
  claims: IDToken | undefined,
): Promise<Account | undefined> {
  const known = claims && accountOf(claims)
  if (known?.name || known?.email) return known
  const claimed = await operate((configuration) => fetchUserinfo(configuration, accessToken), {
    timeoutMs: USERINFO_MS,
  }).catch(() => undefined)
  const sub = subjectOf(claimed)
  // OpenID Connect Core 1.0 §5.3.2: userinfo with another `sub` must not be used.
  if (!claimed || !sub || (known && known.sub !== sub)) return known
  return { sub, ...nameAndEmail(claimed) }
}

/**
 * Fetches userinfo; undefined if the provider has no such endpoint, or rejects the token.
 * @throws ProviderError when the endpoint is unreachable, or fails
 */
async function fetchUserinfo(
  configuration: Configuration,
  accessToken: string,
): Promise<Record<string, unknown> | undefined> {
  const { userinfo_endpoint: endpoint } = configuration.serverMetadata()
  if (!endpoint) return undefined
  const headers = new Headers({ accept: 'application/json' })
  const url = new URL(endpoint)
  const answer = await fetchProtectedResource(configuration, accessToken, url, 'GET', null, headers)
  if (answer.status >= 500 || answer.status === 429) {
    throw providerError('provider_unavailable', `userinfo responded with ${answer.status}`)
  }
  const value: unknown = answer.ok ? await answer.json() : undefined
  return typeof value === 'object' && value !== null ? { ...value } : undefined
}

/** Plain OAuth 2.0 services name the subject `id`, Atlassian `account_id`. */
function subjectOf(claims: Record<string, unknown> | undefined): string | undefined {
  const sub = claims?.sub ?? claims?.id ?? claims?.account_id
  if (typeof sub === 'number') return String(sub)
  return typeof sub === 'string' && sub !== '' ? sub : undefined
}

function nameAndEmail(claims: Readonly<Record<string, unknown>>): Omit<Account, 'sub'> {
  const name = [claims.name, claims.preferred_username, claims.login].find(isText)
  return { ...(name && { name }), ...(isText(claims.email) && { email: claims.email }) }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
