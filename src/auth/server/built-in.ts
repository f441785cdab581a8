/** The built-in authorization server as the configuration wants it. */

import type { Config, Secrets } from '../../config.ts'
import { redirectUriFault } from '../redirect-uris.ts'
import { type AuthorizationServer, createAuthorizationServer } from './authorization-server.ts'
import type { AuthorizationServerDeps } from './options.ts'
import { createSecretSigning } from './signing.ts'

export interface BuiltInServerDeps
  extends Omit<AuthorizationServerDeps, 'signing' | 'redirectUriFault' | 'fetch' | 'now'> {
  readonly config: Config
  readonly secrets: Secrets
  readonly publicUrl: string
  /** The scopes of all tools. */
  readonly toolScopes: Iterable<string>
}

/** Lets a client in at all; what tools want comes on top. */
const BASE_SCOPE = 'mcp'

/**
 * Undefined when an external issuer takes its place.
 * @throws ConfigError when a pre-registered client cannot be
 */
export async function createBuiltInServer(
  deps: BuiltInServerDeps,
): Promise<AuthorizationServer | undefined> {
  const { config, secrets, publicUrl, toolScopes } = deps
  const { issuer, defaultScopes } = config.auth
  if (issuer.kind !== 'built-in') return undefined
  const scopes = [...new Set([BASE_SCOPE, ...(defaultScopes ?? []), ...[...toolScopes].sort()])]
  return await createAuthorizationServer(
    { ...issuer, publicUrl, scopes, defaultScopes, clients: secrets.oauthClients },
    {
      ...deps,
      signing: createSecretSigning(secrets.jwtSecret),
      redirectUriFault: (uri) => redirectUriFault(uri, issuer.redirectSchemes),
      fetch: () => Promise.reject(new Error('Metadata documents are not fetched.')),
      now: Date.now,
    },
  )
}
