/** Normalizes the scopes that a client requests. */

import { errors } from 'oidc-provider'

/**
 * OpenID Connect scopes that clients request by default. Ignored: the server issues no ID tokens,
 * and issues refresh tokens without `offline_access`.
 */
const OPENID_SCOPES = new Set(['openid', 'profile', 'email', 'offline_access'])

export interface ScopeRules {
  readonly known: ReadonlySet<string>
  readonly defaults: readonly string[]
}

/**
 * Drops unknown scopes, as RFC 6749, 3.3 permits; the token response names the granted scopes.
 * @throws InvalidScope when none of the requested scopes exists
 */
export function requestedScope(asked: string | undefined, { known, defaults }: ScopeRules): string {
  const scopes = [...new Set((asked ?? '').split(' ').filter(Boolean))]
  const granted = scopes.filter((scope) => known.has(scope))
  if (granted.length > 0) return granted.join(' ')
  if (scopes.every((scope) => OPENID_SCOPES.has(scope))) return defaults.join(' ')
  throw new errors.InvalidScope('none of the requested scopes exists', scopes.join(' '))
}

/**
 * The scopes of a refresh, without the OpenID Connect scopes, which clients repeat from their
 * authorization request. Keeps other unknown scopes, which the library refuses (RFC 6749, 6).
 */
export function refreshedScope(asked: string, { known }: ScopeRules): string | undefined {
  const scopes = asked.split(' ').filter((scope) => known.has(scope) || !OPENID_SCOPES.has(scope))
  return scopes.length > 0 ? scopes.join(' ') : undefined
}
