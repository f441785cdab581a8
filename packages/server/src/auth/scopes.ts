/** The scopes there are, and those a client is told to ask for. */

/** Lets a client in at all; what tools want comes on top. */
const BASE_SCOPE = 'mcp'

export interface Scopes {
  /** All of them, in a stable order: `scopes_supported` (RFC 9728, 2). */
  readonly supported: readonly string[]
  /** Those that a client without a token is told to ask for. */
  readonly challenged: readonly string[]
}

/**
 * `toolScopes` may repeat themselves. `defaults` are what the operator set: they take the place of
 * the base scope, which an external issuer may not know.
 */
export function createScopes(
  toolScopes: Iterable<string>,
  defaults: readonly string[] | undefined,
): Scopes {
  const supported = [...new Set([...(defaults ?? [BASE_SCOPE]), ...[...toolScopes].sort()])]
  return { supported, challenged: defaults ?? supported }
}
