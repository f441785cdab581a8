/** `OAUTH_SCOPE_MAP`: maps scopes that an issuer grants to scopes of tools, and back. */

import type { ScopeMap } from '../config.ts'

/** The tool scopes of one scope of the issuer: the scope itself if the map has no entry. */
export function scopesFor(name: string, map: ScopeMap): readonly string[] {
  return Object.hasOwn(map, name) ? (map[name] ?? []) : [name]
}

/** The names under which the issuer grants the scopes; the first one if several grant a scope. */
export function issuerScopes(scopes: readonly string[], map: ScopeMap): readonly string[] {
  const entries = Object.entries(map)
  const nameOf = (scope: string) => entries.find(([, each]) => each.includes(scope))?.[0] ?? scope
  return [...new Set(scopes.map(nameOf))]
}
