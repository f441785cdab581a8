/** The supported scopes, and those that challenges name. */

import type { ScopeMap } from '../config.ts'
import { issuerScopes } from './scope-map.ts'

/** The scope for access as such; tools may require further scopes. */
const BASE_SCOPE = 'mcp'

export interface Scopes {
  /** All scopes, in a stable order: `scopes_supported` (RFC 9728, 2). */
  readonly supported: readonly string[]
  /** The scopes that the challenge to a client without a token names. */
  readonly challenged: readonly string[]
}

export interface ScopeOptions {
  /** Scopes that the operator configured; they replace the base scope. */
  readonly defaults?: readonly string[] | undefined
  /** The names under which an external issuer grants scopes; clients request those names. */
  readonly scopeMap?: ScopeMap | undefined
}

/** `toolScopes` may contain duplicates. */
export function createScopes(toolScopes: Iterable<string>, options: ScopeOptions = {}): Scopes {
  const { defaults, scopeMap = {} } = options
  const known = [...new Set([...(defaults ?? [BASE_SCOPE]), ...[...toolScopes].sort()])]
  const supported = issuerScopes(known, scopeMap)
  return { supported, challenged: defaults ? issuerScopes(defaults, scopeMap) : supported }
}

/** The scopes for an issuer that does not support the base scope and may refuse requests for it. */
export function withoutBaseScope({ supported, challenged }: Scopes): Scopes {
  const isOther = (scope: string) => scope !== BASE_SCOPE
  return { supported: supported.filter(isOther), challenged: challenged.filter(isOther) }
}

/** Whether the issuer's `scopes_supported` lists the base scope. */
export function knowsBaseScope(supported: readonly string[] | undefined): boolean {
  return supported?.includes(BASE_SCOPE) ?? false
}
