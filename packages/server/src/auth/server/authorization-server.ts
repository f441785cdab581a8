/**
 * The built-in OAuth 2.1 authorization server, created from the configuration: endpoints, consents
 * and the check of its tokens.
 */

import type { BuiltInIssuer, Config, Secrets } from '../../config.ts'
import { Entries } from '../../oidc/entries.ts'
import type { Outgoing } from '../../upstream/outgoing.ts'
import { createDocumentFetch } from '../document-fetch.ts'
import { redirectUriFault } from '../redirect-uris.ts'
import { createResourceNames, createResources } from '../resources.ts'
import type { Scopes } from '../scopes.ts'
import type { Consents } from './consents.ts'
import { createAccessTokens, createTokenEntries } from './issued-tokens.ts'
import type { AuthorizationServerDeps, AuthorizationServerOptions } from './options.ts'
import type { ProviderServer } from './provider-server.ts'
import { createKeySigning, createSecretSigning, type Signing } from './signing.ts'
import { createTokenReader, withTokenCache } from './token-reader.ts'

export type AuthorizationServer = Awaited<ReturnType<typeof createAuthorizationServer>>

/**
 * Creates the server. It is stateless: nodes with the same store and secrets are interchangeable.
 * Imports the library lazily, since calls with a token do not need it.
 * @throws ConfigError when the metadata of a pre-registered client is invalid
 */
export async function createAuthorizationServer(
  options: AuthorizationServerOptions,
  deps: AuthorizationServerDeps,
) {
  const { store, keyRing, sessions, signing, now } = deps
  const resources = createResourceNames(createResources(options.publicUrl, options.serves))
  const longestTtlSeconds = options.refreshTokenTtl + options.accessTokenTtl
  const entries = new Entries({ store, keyRing, now }, { prefix: 'oauth', longestTtlSeconds })
  const tokens = createTokenEntries({ store, keyRing }, { longestTtlSeconds })
  const made = createTokenReader(signing, options.publicUrl, resources, now)
  // Caches verified tokens only for asymmetric signatures: HS256 is cheap to verify.
  const reader = signing.secret === undefined ? withTokenCache(made, now) : made
  let loading: Promise<ProviderServer> | undefined
  const load = () => {
    loading ??= import('./provider-server.ts').then(({ createProviderServer }) =>
      createProviderServer(options, deps, { entries, tokens, reader, resources }),
    )
    return loading
  }
  if (options.clients.length > 0) await (await load()).checkClients()
  return {
    /** Handles a request to one of the endpoints: see `createProviderServer`. */
    handle: async (...request: Parameters<ProviderServer['handle']>): Promise<void> =>
      (await load()).handle(...request),
    consents: lazyConsents(load),
    accessTokens: createAccessTokens({
      ...{ reader, tokens, entries, store, sessions },
      hasEarlierNodes: options.hasEarlierNodes ?? true,
    }),
  }
}

function lazyConsents(
  load: () => Promise<ProviderServer>,
): Pick<Consents, 'find' | 'approve' | 'deny'> {
  return {
    find: async (...asked) => (await load()).consents.find(...asked),
    approve: async (...asked) => (await load()).consents.approve(...asked),
    deny: async (...asked) => (await load()).consents.deny(...asked),
  }
}

interface BuiltInServerDeps
  extends Omit<AuthorizationServerDeps, 'signing' | 'redirectUriFault' | 'documents' | 'fetch'> {
  readonly config: Config
  readonly secrets: Secrets
  readonly publicUrl: string
  readonly scopes: Scopes
  readonly outgoing: Outgoing
  /** Trusted for metadata documents instead of the system's certificate authorities, in PEM. */
  readonly documentCa?: string | undefined
}

/**
 * Creates the server from the configuration; undefined with an external issuer.
 * @throws ConfigError when the metadata of a pre-registered client is invalid
 */
export async function createBuiltInServer(
  deps: BuiltInServerDeps,
): Promise<AuthorizationServer | undefined> {
  const { config, secrets, store, publicUrl, scopes, now, documentCa: ca } = deps
  const { keyRing, sessions, blocks, signOut, isSignedIn, settleSignIn, broadcastRevoked } = deps
  const { authorizations, keptSignIns, log, errorPage } = deps
  const { issuer } = config.auth
  if (issuer.kind !== 'built-in') return undefined
  return await createAuthorizationServer(
    {
      ...issuer,
      ...{ publicUrl, scopes, serves: config.serves },
      ...{ clients: secrets.oauthClients, auditSubject: config.log.auditSubject },
      // The previous release does not support Redis Cluster, where its entries are on other shards.
      hasEarlierNodes: config.store.kind === 'memory' || config.store.mode !== 'cluster',
    },
    {
      ...{ store, keyRing, sessions, blocks, signOut, isSignedIn, settleSignIn },
      ...{ authorizations, keptSignIns, log, errorPage, now },
      ...(broadcastRevoked !== undefined && { broadcastRevoked }),
      fetch: deps.outgoing.fetch,
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
