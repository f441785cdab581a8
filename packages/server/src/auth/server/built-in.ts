/** The built-in authorization server as the configuration wants it. */

import type { BuiltInIssuer, Config, Secrets } from '../../config.ts'
import type { Outgoing } from '../../upstream/outgoing.ts'
import { createDocumentFetch } from '../document-fetch.ts'
import { redirectUriFault } from '../redirect-uris.ts'
import type { Scopes } from '../scopes.ts'
import { createSigningKeys } from '../signing-keys.ts'
import { type AuthorizationServer, createAuthorizationServer } from './authorization-server.ts'
import type { AuthorizationServerDeps } from './options.ts'
import { createKeySigning, createSecretSigning } from './signing.ts'

export interface BuiltInServerDeps
  extends Omit<AuthorizationServerDeps, 'signing' | 'redirectUriFault' | 'documents'> {
  readonly config: Config
  readonly secrets: Secrets
  readonly publicUrl: string
  readonly scopes: Scopes
  readonly outgoing: Outgoing
  /** Trusted instead of the usual certificate authorities for metadata documents, in PEM. */
  readonly documentCa?: string | undefined
}

/**
 * Undefined when an external issuer takes its place.
 * @throws ConfigError when a pre-registered client cannot be
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
      signing: createSigning(deps, issuer),
      redirectUriFault: (uri) => redirectUriFault(uri, issuer.redirectSchemes),
      documents: createDocumentFetch(
        { store, now, proxyFor: deps.outgoing.proxyFor },
        { allowLoopback: !config.isProduction, ca },
      ),
    },
  )
}

function createSigning({ store, keyRing, secrets, now }: BuiltInServerDeps, issuer: BuiltInIssuer) {
  const { algorithm, accessTokenTtl: keepSeconds } = issuer
  if (algorithm === 'HS256') return createSecretSigning(secrets.jwtSecret)
  const keys = createSigningKeys({ store, keyRing, now }, { algorithm, keepSeconds })
  return createKeySigning(algorithm, keys)
}
