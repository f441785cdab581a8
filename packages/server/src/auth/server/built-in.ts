/** Creates the built-in authorization server from the configuration. */

import type { BuiltInIssuer, Config, Secrets } from '../../config.ts'
import type { Outgoing } from '../../upstream/outgoing.ts'
import { createDocumentFetch } from '../document-fetch.ts'
import { redirectUriFault } from '../redirect-uris.ts'
import type { Scopes } from '../scopes.ts'
import { type AuthorizationServer, createAuthorizationServer } from './authorization-server.ts'
import type { AuthorizationServerDeps } from './options.ts'
import { createKeySigning, createSecretSigning, type Signing } from './signing.ts'

export interface BuiltInServerDeps
  extends Omit<AuthorizationServerDeps, 'signing' | 'redirectUriFault' | 'documents'> {
  readonly config: Config
  readonly secrets: Secrets
  readonly publicUrl: string
  readonly scopes: Scopes
  readonly outgoing: Outgoing
  /** Trusted for metadata documents instead of the system's certificate authorities, in PEM. */
  readonly documentCa?: string | undefined
}

/**
 * Undefined with an external issuer.
 * @throws ConfigError when the metadata of a pre-registered client is invalid
 */
export async function createBuiltInServer(
  deps: BuiltInServerDeps,
): Promise<AuthorizationServer | undefined> {
  const { config, secrets, store, publicUrl, scopes, now, documentCa: ca } = deps
  const { issuer } = config.auth
  if (issuer.kind !== 'built-in') return undefined
  return await createAuthorizationServer(
    { ...issuer, ...{ publicUrl, scopes, serves: config.serves }, clients: secrets.oauthClients },
    {
      ...deps,
      signing: await createSigning(deps, issuer),
      redirectUriFault: (uri) => redirectUriFault(uri, issuer.redirectSchemes),
      documents: createDocumentFetch(
        { store, now, proxyFor: deps.outgoing.proxyFor },
        { allowLoopback: !config.isProduction, ca },
      ),
    },
  )
}

async function createSigning(
  { store, keyRing, secrets, now }: BuiltInServerDeps,
  issuer: BuiltInIssuer,
): Promise<Signing> {
  const { algorithm, accessTokenTtl: keepSeconds } = issuer
  if (algorithm === 'HS256') return createSecretSigning(secrets.jwtSecret)
  const { createSigningKeys } = await import('../signing-keys.ts')
  const keys = createSigningKeys({ store, keyRing, now }, { algorithm, keepSeconds })
  return createKeySigning(algorithm, keys)
}
