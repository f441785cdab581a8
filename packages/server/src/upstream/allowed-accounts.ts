/** The signed-in account, from the ID token or userinfo, and the check that it may use this server. */

import { type Configuration, fetchProtectedResource, type IDToken } from 'openid-client'
import type { Credentials } from './identity-provider.ts'
import { providerError } from './provider-failure.ts'
import type { Operate } from './provider-operation.ts'
import type { OpenIdProviderOptions } from './provider-options.ts'

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
