/** The built-in OAuth 2.1 authorization server: the library, and what is ours to do around it. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import { createEntries } from '../../oidc/entries.ts'
import { enter } from '../../oidc/mount.ts'
import type { StorageBudget } from '../../store/storage-budget.ts'
import type { AccessTokens } from '../access-tokens.ts'
import { createResources } from '../resources.ts'
import { createAccessTokens, createTokenReader } from './access-tokens.ts'
import { createServerAdapter } from './adapter.ts'
import { createAuthorizedClients } from './authorized-clients.ts'
import { encodedBasic } from './client-secrets.ts'
import { isMetadataDocument } from './clients.ts'
import { COOKIES } from './configuration.ts'
import { type Consents, createConsents } from './consents.ts'
import { rememberTokens } from './known-tokens.ts'
import {
  type AuthorizationServerDeps,
  type AuthorizationServerOptions,
  USED_CLIENT_TTL_SECONDS,
} from './options.ts'
import { checkPreRegistered, createProvider } from './provider.ts'
import { countStorageOf } from './request-storage.ts'
import { createResourceNames } from './resource-names.ts'
import type { SigningKey } from './signing.ts'
import { createTokenEntries } from './token-entries.ts'

export interface AuthorizationServer {
  /**
   * Answers a request at one of its endpoints; rejects when the store is away. What the request has
   * stored counts for `storage`, if that is given.
   */
  handle(request: IncomingMessage, response: ServerResponse, storage?: StorageBudget): Promise<void>
  readonly consents: Consents
  readonly accessTokens: AccessTokens
}

/**
 * Makes the server; any node with the same store and the same secrets is the same server.
 * @throws ConfigError when a pre-registered client cannot be
 */
export async function createAuthorizationServer(
  options: AuthorizationServerOptions,
  deps: AuthorizationServerDeps,
): Promise<AuthorizationServer> {
  const { store, keyRing, sessions, signing, now } = deps
  const resources = createResourceNames(createResources(options.publicUrl, options.serves))
  const longestTtlSeconds = options.refreshTokenTtl + options.accessTokenTtl
  const entries = createEntries({ store, keyRing, now }, { prefix: 'oauth', longestTtlSeconds })
  const tokens = createTokenEntries({ store, keyRing }, { longestTtlSeconds })
  const reader = createTokenReader(signing, options.publicUrl, resources, Date.now)
  // With the secret a token is checked in a few microseconds, with a public key it is not.
  const remembering = signing.secret === undefined ? rememberTokens(reader, Date.now) : reader
  const scopes = {
    known: new Set(options.scopes.supported),
    defaults: options.scopes.challenged,
  }
  const preRegistered = new Set<unknown>(options.clients.map(({ client_id }) => client_id))
  const clientTtl = Math.max(USED_CLIENT_TTL_SECONDS, options.refreshTokenTtl)
  const authorizedClients = createAuthorizedClients(store, {
    clients: options.clients,
    ttlSeconds: clientTtl,
  })
  const shared = {
    adapter: createServerAdapter(
      { entries, tokens },
      { refreshGraceSeconds: options.refreshGrace, onRevoked: deps.signOut },
    ),
    resources,
    scopes,
    clientRules: {
      redirectUriFault: deps.redirectUriFault,
      idTokenAlgorithm: signing.algorithm === 'HS256' ? ('ES256' as const) : signing.algorithm,
      isPreRegistered: (id: unknown) => preRegistered.has(id),
    },
    authorizedClients,
    async clientUsed(clientId: string) {
      const isDocument = isMetadataDocument({ client_id: clientId })
      await Promise.all([
        authorizedClients.remember(clientId),
        isDocument
          ? deps.documents.keep(clientId, clientTtl)
          : entries.renew('Client', clientId, clientTtl),
      ])
    },
  }
  const mount = { issuer: new URL(options.publicUrl), sessionCookie: COOKIES.session }
  const rules = { resources, scopes, tokens: remembering }

  const current = perKey(signing.current, (signingKey) =>
    createProvider(options, deps, { ...shared, signingKey }, rules, mount),
  )
  await checkPreRegistered(current, options)
  return {
    async handle(request, response, storage) {
      const { callback } = await current()
      enter(request, mount)
      if (storage !== undefined) countStorageOf(request, storage)
      const authorization = encodedBasic(request.headers.authorization, options.clients)
      if (authorization !== undefined) request.headers.authorization = authorization
      await callback(request, response)
    },
    consents: createConsents(
      options,
      { ...deps, authorizedClients },
      async () => (await current()).provider,
    ),
    accessTokens: createAccessTokens({ reader: remembering, tokens, entries, store, sessions }),
  }
}

interface Current {
  readonly provider: Provider
  readonly callback: ReturnType<Provider['callback']>
}

/** The library takes its key when it is made, so that another key makes another one. */
function perKey(
  currentKey: () => Promise<SigningKey>,
  create: (key: SigningKey) => Provider,
): () => Promise<Current> {
  let known: (Current & { readonly kid: string }) | undefined
  return async () => {
    const key = await currentKey()
    if (known?.kid !== key.kid) {
      const provider = create(key)
      known = { kid: key.kid, provider, callback: provider.callback() }
    }
    return known
  }
}
