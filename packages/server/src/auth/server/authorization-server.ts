/** The built-in OAuth 2.1 authorization server: the library, and what is ours to do around it. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import { basePathOf } from '../../config/base-path.ts'
import { createEntries } from '../../oidc/entries.ts'
import { enter } from '../../oidc/mount.ts'
import { createLetInClients } from '../../session/let-in-clients.ts'
import type { StorageBudget } from '../../store/storage-budget.ts'
import type { AccessTokens } from '../access-tokens.ts'
import { createResources } from '../resources.ts'
import { createAccessTokens, createTokenReader } from './access-tokens.ts'
import { createServerAdapter } from './adapter.ts'
import { createAuthorizedClients } from './authorized-clients.ts'
import { createAuthenticateClient } from './client-assertions.ts'
import { encodedBasic } from './client-secrets.ts'
import { type ClientRules, isMetadataDocument } from './clients.ts'
import { COOKIES } from './configuration.ts'
import { type Consents, createConsents } from './consents.ts'
import { rememberDropped } from './dropped-redirects.ts'
import { createGrants } from './grants.ts'
import { rememberTokens } from './known-tokens.ts'
import {
  type AuthorizationServerDeps,
  type AuthorizationServerOptions,
  CONSENT_TTL_SECONDS,
  USED_CLIENT_TTL_SECONDS,
} from './options.ts'
import { checkPreRegistered, createProvider } from './provider.ts'
import { countStorageOf } from './request-storage.ts'
import { createResourceNames } from './resource-names.ts'
import type { SigningKey } from './signing.ts'

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
  const reader = createTokenReader(signing, options.publicUrl, resources, Date.now)
  const tokens = rememberTokens(reader, Date.now)
  const scopes = {
    known: new Set(options.scopes.supported),
    defaults: options.scopes.challenged,
  }
  const clientTtl = Math.max(USED_CLIENT_TTL_SECONDS, options.refreshTokenTtl)
  const authorizedClients = createAuthorizedClients(store, {
    clients: options.clients,
    ttlSeconds: clientTtl,
  })
  const grants = createGrants(deps, {
    ttlSeconds: longestTtlSeconds,
    unusedTtlSeconds: CONSENT_TTL_SECONDS + options.codeTtl,
  })
  const { sessionsOf } = createLetInClients(deps, { ttlSeconds: longestTtlSeconds })
  const shared = {
    adapter: createServerAdapter(entries, {
      refreshGraceSeconds: options.refreshGrace,
      onRevoked: grants.revoked,
    }),
    resources,
    scopes,
    clientRules: clientRulesOf(options, deps),
    authorizedClients,
    grants,
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
  const mount = {
    issuer: new URL(options.publicUrl),
    basePath: basePathOf(options.publicUrl),
    sessionCookie: COOKIES.session,
  }
  const authenticateClient = createAuthenticateClient({
    ...{ documents: deps.documents, entries, now },
    issuer: options.publicUrl,
  })
  const rules = { resources, scopes, tokens, authenticateClient }

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
      { ...deps, authorizedClients, grants, sessionsOf },
      async () => (await current()).provider,
    ),
    accessTokens: createAccessTokens(tokens, entries, sessions),
  }
}

function clientRulesOf(
  { clients }: AuthorizationServerOptions,
  { redirectUriFault, signing }: AuthorizationServerDeps,
): ClientRules {
  const preRegistered = new Set<unknown>(clients.map(({ client_id }) => client_id))
  return {
    redirectUriFault,
    idTokenAlgorithm: signing.algorithm === 'HS256' ? 'ES256' : signing.algorithm,
    isPreRegistered: (id) => preRegistered.has(id),
    onDropped: rememberDropped,
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
