/** The scopes there are, and those a client is told to ask for. */

import type { ScopeMap } from '../config.ts'
import { issuerScopes } from './scope-map.ts'

/** Lets a client in at all; what tools want comes on top. */
const BASE_SCOPE = 'mcp'

export interface Scopes {
  /** All of them, in a stable order: `scopes_supported` (RFC 9728, 2). */
  readonly supported: readonly string[]
  /** Those that a client without a token is told to ask for. */
  readonly challenged: readonly string[]
}

export interface ScopeOptions {
  /** What the operator set: they take the place of the base scope. */
  readonly defaults?: readonly string[] | undefined
  /** The names under which an external issuer grants scopes, which are those to ask for. */
  readonly scopeMap?: ScopeMap | undefined
}

/** `toolScopes` may repeat themselves. */
export function createScopes(toolScopes: Iterable<string>, options: ScopeOptions = {}): Scopes {
  const { defaults, scopeMap = {} } = options
  const known = [...new Set([...(defaults ?? [BASE_SCOPE]), ...[...toolScopes].sort()])]
  const supported = issuerScopes(known, scopeMap)
  return { supported, challenged: defaults ? issuerScopes(defaults, scopeMap) : supported }
}

/** The same for an issuer that does not know the base scope, and may refuse requests for it. */
export function withoutBaseScope({ supported, challenged }: Scopes): Scopes {
  const isOther = (scope: string) => scope !== BASE_SCOPE
  return { supported: supported.filter(isOther), challenged: challenged.filter(isOther) }
}

/** Whether an issuer whose metadata says so knows the base scope. */
export function knowsBaseScope(supported: readonly string[] | undefined): boolean {
  return supported?.includes(BASE_SCOPE) ?? false
}
