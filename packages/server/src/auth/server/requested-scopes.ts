/** Which scopes a client is asking for. */

import { errors } from 'oidc-provider'

/** Clients ask for these out of habit; nobody is identified here, and refresh tokens go to all. */
const OPENID_SCOPES = new Set(['openid', 'profile', 'email', 'offline_access'])

export interface ScopeRules {
  readonly known: ReadonlySet<string>
  readonly defaults: readonly string[]
}

/**
 * Leaves out what is unknown (RFC 6749, 3.3 allows it; the answer names what was granted).
 * @throws InvalidScope when nothing that was asked for exists
 */
export function requestedScope(asked: string | undefined, { known, defaults }: ScopeRules): string {
  const scopes = [...new Set((asked ?? '').split(' ').filter(Boolean))]
  const granted = scopes.filter((scope) => known.has(scope))
  if (granted.length > 0) return granted.join(' ')
  if (scopes.every((scope) => OPENID_SCOPES.has(scope))) return defaults.join(' ')
  throw new errors.InvalidScope('none of the requested scopes exists', scopes.join(' '))
}

/**
 * The scopes a refresh is for, without what was left out when they were granted: clients repeat
 * what they once asked for. What else is unknown stays, and is refused (RFC 6749, 6).
 */
export function refreshedScope(asked: string, { known }: ScopeRules): string | undefined {
  const scopes = asked.split(' ').filter((scope) => known.has(scope) || !OPENID_SCOPES.has(scope))
  return scopes.length > 0 ? scopes.join(' ') : undefined
}
