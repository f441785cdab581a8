/** The endpoints of the authorization server: wires `oidc-provider` to our storage and rules. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import { basePathOf } from '../../config/public-path.ts'
import type { Entries } from '../../oidc/entries.ts'
import { enter } from '../../oidc/mount.ts'
import { createAuthorizedClients } from '../../session/authorized-clients.ts'
import type { StorageBudget } from '../../store/storage-budget.ts'
import type { ResourceNames } from '../resources.ts'
import { createServerAdapter } from './adapter.ts'
import { createAuthenticateClient, encodedBasic } from './client-assertions.ts'
import { type ClientRules, isMetadataDocument } from './clients.ts'
import { COOKIES } from './configuration.ts'
import { Consents } from './consents.ts'
import { createConsentedClients } from './error-redirects.ts'
import { createGrants } from './grants.ts'
import { createVerifyAssertion } from './id-jag.ts'
import type { TokenEntries } from './issued-tokens.ts'
import {
  type AuthorizationServerDeps,
  type AuthorizationServerOptions,
  CONSENT_TTL_SECONDS,
  USED_CLIENT_TTL_SECONDS,
} from './options.ts'
import { checkPreRegistered, createProvider, rememberDropped } from './provider.ts'
import { countStorageOf } from './request-storage.ts'
import type { SigningKey } from './signing.ts'
import type { TokenReader } from './token-reader.ts'

export interface ProviderServerParts {
  readonly entries: Entries
  readonly tokens: TokenEntries
  readonly reader: TokenReader
  readonly resources: ResourceNames
}

export type ProviderServer = ReturnType<typeof createProviderServer>

export function createProviderServer(
  options: AuthorizationServerOptions,
  deps: AuthorizationServerDeps,
  parts: ProviderServerParts,
) {
  const { publicUrl, clients } = options
  const { entries, reader, resources } = parts
  const { documents, signing, now } = deps
  const shared = createSharedParts(options, deps, parts)
  const mount = {
    issuer: new URL(publicUrl),
    basePath: basePathOf(publicUrl),
    sessionCookie: COOKIES.session,
  }
  const authenticateClient = createAuthenticateClient({
    documents,
    entries,
    issuer: publicUrl,
    now,
  })
  const rules = { resources, scopes: shared.scopes, tokens: reader, authenticateClient }
  const current = perKey(signing.current, (signingKey) =>
    createProvider(options, deps, { ...shared, signingKey }, rules, mount),
  )
  return {
    /** @throws ConfigError when the metadata of a pre-registered client is invalid */
    checkClients: (): Promise<void> => checkPreRegistered(current, options),
    /**
     * Handles a request to one of the endpoints; rejects when the store is unavailable. Charges
     * what the request stores to `storage`, if given.
     */
    async handle(
      request: IncomingMessage,
      response: ServerResponse,
      storage?: StorageBudget,
    ): Promise<void> {
      const { callback } = await current()
      enter(request, mount)
      if (storage !== undefined) countStorageOf(request, storage)
      const authorization = encodedBasic(request.headers.authorization, clients)
      if (authorization !== undefined) request.headers.authorization = authorization
      await callback(request, response)
    },
    consents: createConsents(options, deps, shared, async () => (await current()).provider),
  }
}

function createConsents(
  options: AuthorizationServerOptions,
  deps: AuthorizationServerDeps,
  { authorizedClients, grants }: ReturnType<typeof createSharedParts>,
  current: () => Promise<Provider>,
): Consents {
  const { store, keyRing, sessions, signOut, isSignedIn, settleSignIn } = deps
  const { authorizations, keptSignIns, log, now } = deps
  const ttlSeconds = longestTtlOf(options)
  const { sessionsOf } = createAuthorizedClients({ store, sessions }, { ttlSeconds })
  const consentDeps = {
    ...{ store, keyRing, sessions, signOut, isSignedIn, settleSignIn, authorizations },
    ...{ keptSignIns, log, now, authorizedClients, grants, sessionsOf },
  }
  return new Consents(options, consentDeps, current)
}

/** The lifetime of a grant's last access token. */
function longestTtlOf({ refreshTokenTtl, accessTokenTtl }: AuthorizationServerOptions): number {
  return refreshTokenTtl + accessTokenTtl
}

/** The parts that all providers share, one provider for each signing key. */
function createSharedParts(
  options: AuthorizationServerOptions,
  deps: AuthorizationServerDeps,
  { entries, tokens, resources }: ProviderServerParts,
) {
  const { clients, scopes, refreshTokenTtl } = options
  const clientTtl = Math.max(USED_CLIENT_TTL_SECONDS, refreshTokenTtl)
  const authorizedClients = createConsentedClients(deps.store, { clients, ttlSeconds: clientTtl })
  const grants = createGrants(deps, {
    ttlSeconds: longestTtlOf(options),
    unusedTtlSeconds: CONSENT_TTL_SECONDS + options.codeTtl,
  })
  return {
    adapter: createServerAdapter(
      { entries, tokens },
      { refreshGraceSeconds: options.refreshGrace, onRevoked: grants.revoked },
    ),
    resources,
    scopes: { known: new Set(scopes.supported), defaults: scopes.challenged },
    clientRules: clientRulesOf(options, deps),
    authorizedClients,
    grants,
    verifyAssertion: verifyAssertionOf(options, deps, { entries, resources }),
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
}

/** Undefined without issuers of identity assertions. */
function verifyAssertionOf(
  { idJagIssuers: issuers, publicUrl: audience }: AuthorizationServerOptions,
  { fetch, log, now }: AuthorizationServerDeps,
  { entries, resources }: Pick<ProviderServerParts, 'entries' | 'resources'>,
) {
  if (issuers === undefined) return undefined
  return createVerifyAssertion({ entries, resources, fetch, log, now }, { issuers, audience })
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

/** Creates a new provider after each key rotation: the library reads its key at construction. */
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
