/** Who signed in, as the provider says: from the ID token, completed by userinfo. */

import { type Configuration, fetchProtectedResource, type IDToken } from 'openid-client'
import type { Credentials } from './identity-provider.ts'
import { providerError } from './provider-failure.ts'
import type { Operate } from './provider-operation.ts'

/** Apart from the exchange's time, so that a slow userinfo cannot undo it. */
const USERINFO_MS = 1000

type Account = NonNullable<Credentials['account']>

/** The account in an ID token's claims. */
export function accountOf(claims: IDToken): Account {
  return { sub: claims.sub, ...nameAndEmail(claims) }
}

/**
 * Asks userinfo for a name when the ID token has none. Best effort: a sign-in that worked does not
 * fail because nobody can say what the person is called.
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
  // OpenID Connect Core 1.0 §5.3.2: without the same `sub` the answer must not be used.
  if (!claimed || !sub || (known && known.sub !== sub)) return known
  return { sub, ...nameAndEmail(claimed) }
}

/**
 * Asks userinfo; undefined when there is none, or when it refuses.
 * @throws ProviderError when it cannot be reached, or fails
 */
export async function fetchUserinfo(
  configuration: Configuration,
  accessToken: string,
): Promise<Record<string, unknown> | undefined> {
  const { userinfo_endpoint: endpoint } = configuration.serverMetadata()
  if (!endpoint) return undefined
  const headers = new Headers({ accept: 'application/json' })
  const url = new URL(endpoint)
  const answer = await fetchProtectedResource(configuration, accessToken, url, 'GET', null, headers)
  if (answer.status >= 500 || answer.status === 429) {
    throw providerError('provider_unavailable', `userinfo says ${answer.status}`)
  }
  const value: unknown = answer.ok ? await answer.json() : undefined
  return typeof value === 'object' && value !== null ? { ...value } : undefined
}

/** `id` is what plain OAuth 2.0 services call the subject, and Atlassian `account_id`. */
export function subjectOf(claims: Record<string, unknown> | undefined): string | undefined {
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
