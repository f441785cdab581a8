/**
 * `OAUTH_SCOPE_MAP`: from what an issuer grants to scopes of tools, and back to what is asked for.
 */

import type { ScopeMap } from '../config.ts'

/** The scopes of tools that one name of the issuer stands for: itself, if nothing else is said. */
export function scopesFor(name: string, map: ScopeMap): readonly string[] {
  return Object.hasOwn(map, name) ? (map[name] ?? []) : [name]
}

/** The names under which the issuer grants the scopes; of several for one scope, the first. */
export function issuerScopes(scopes: readonly string[], map: ScopeMap): readonly string[] {
  const entries = Object.entries(map)
  const nameOf = (scope: string) => entries.find(([, each]) => each.includes(scope))?.[0] ?? scope
  return [...new Set(scopes.map(nameOf))]
}
