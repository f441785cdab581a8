/**
 * The configuration of `oidc-provider`, its features and their policies: OAuth 2.1 for MCP clients,
 * without OpenID Connect.
 */

import { type AdapterFactory, type Configuration, errors } from 'oidc-provider'
import { basePathOf } from '../../config/public-path.ts'
import { createId } from '../../crypto/random-id.ts'
import type { ResourceNames } from '../resources.ts'
import { createFindAccount, requireSignedInGrant } from './accounts.ts'
import { rememberAccessToken } from './adapter.ts'
import {
  ASSERTION_KEYS,
  AUTH_METHOD_CHOICES,
  type ClientRules,
  checkClient,
  withDefaultAuthMethod,
} from './clients.ts'
import type { ConsentedClients } from './error-redirects.ts'
import { type Grants, grantClaimOf } from './grants.ts'
import { normalizeDocuments, withAssertionKeys } from './metadata-documents.ts'
import {
  type AuthorizationServerDeps,
  type AuthorizationServerOptions,
  CONSENT_TTL_SECONDS,
} from './options.ts'
import { storageOf } from './request-storage.ts'
import { type ScopeRules, scopeParameter } from './requests.ts'
import type { SigningKey } from './signing.ts'
import { forProvider } from './unavailable.ts'

/** The path prefix of the consent pages; the authorization's `uid` follows. */
export function consentPath({ publicUrl }: Pick<AuthorizationServerOptions, 'publicUrl'>): string {
  return `${basePathOf(publicUrl)}/consent/`
}

export const COOKIES = {
  session: 'oauth_session',
  interaction: 'oauth_consent',
  resume: 'oauth_resume',
}

export interface ProviderParts extends FeatureParts {
  readonly adapter: AdapterFactory
  readonly clientRules: ClientRules
  readonly authorizedClients: ConsentedClients
  readonly grants: Pick<Grants, 'used'>
  /** Called when a client receives tokens. */
  readonly clientUsed: (clientId: string) => Promise<void>
}

export function providerConfiguration(
  options: AuthorizationServerOptions,
  deps: AuthorizationServerDeps,
  parts: ProviderParts,
): Configuration {
  const { scopes, signingKey, clientRules } = parts
  const { kid, privateJwk } = signingKey
  return {
    adapter: parts.adapter,
    clients: options.clients.map(withAssertionKeys).map(withDefaultAuthMethod) as never,
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
    clientDefaults: {
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      id_token_signed_response_alg: clientRules.idTokenAlgorithm,
    },
    extraClientMetadata: {
      properties: ['redirect_uris', AUTH_METHOD_CHOICES, ASSERTION_KEYS],
      validator: (_ctx, _name, _value, metadata) => checkClient(metadata, clientRules),
    },
    jwks: {
      keys: [{ ...privateJwk, kid, alg: clientRules.idTokenAlgorithm, use: 'sig' } as never],
    },
    cookies: {
      keys: deps.keyRing.subKeys('oauth-cookies').map((key) => key.toString('base64url')),
      names: COOKIES,
      long: { signed: true, httpOnly: true, sameSite: 'lax' },
      short: { signed: true, httpOnly: true, sameSite: 'lax' },
    },
    scopes: [...scopes.known],
    extraParams: { scope: scopeParameter(scopes) },
    responseTypes: ['code'],
    pkce: { required: () => true },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    async rotateRefreshToken(ctx) {
      await requireSignedInGrant(ctx, options, deps)
      return true
    },
    expiresWithSession: async () => false,
    allowOmittingSingleRegisteredRedirectUri: false,
    // CORS is decided by the middleware in front of the provider.
    clientBasedCORS: () => true,
    fetch: normalizeDocuments(deps.documents.fetch) as never,
    findAccount: createFindAccount(deps),
    extraTokenClaims: async (_ctx, token) => ({
      session_id: 'accountId' in token ? token.accountId : undefined,
      grant_id: 'grantId' in token ? grantClaimOf(token.grantId) : undefined,
    }),
    formats: {
      customizers: {
        jwt: async (_ctx, token, structured) => {
          if (!('accountId' in token)) return
          await Promise.all([
            rememberAccessToken(token, structured),
            forProvider(() => parts.grants.used(String(token.grantId))),
            forProvider(() => parts.clientUsed(String(token.clientId))),
          ])
        },
      },
    },
    features: providerFeatures(options, deps, parts),
    interactions: { url: (_ctx, { uid }) => consentPath(options) + uid },
    routes: {
      authorization: '/authorize',
      token: '/token',
      registration: '/register',
      revocation: '/revoke',
      introspection: '/introspect',
      jwks: '/jwks',
    },
    async renderError(ctx, { error, error_description: description }) {
      const { headers, html } = await deps.errorPage({ error, description })
      ctx.set(headers)
      ctx.body = html
    },
    ttl: timesToLive(options),
  }
}

function timesToLive(options: AuthorizationServerOptions): Configuration['ttl'] {
  return {
    AccessToken: options.accessTokenTtl,
    AuthorizationCode: options.codeTtl,
    Grant: options.refreshTokenTtl,
    Interaction: CONSENT_TTL_SECONDS,
    // A refresh does not extend the lifetime of the grant.
    RefreshToken: (ctx) => Math.max(1, ctx.oidc.entities.Grant?.remainingTTL ?? 1),
    // Unused, but the library requires values.
    Session: 60,
    IdToken: 60,
  }
}

const OFF = { enabled: false }

interface FeatureParts {
  readonly signingKey: SigningKey
  readonly resources: ResourceNames
  readonly scopes: ScopeRules
}

function providerFeatures(
  { accessTokenTtl, clients }: AuthorizationServerOptions,
  { signing, sessions, documents }: AuthorizationServerDeps,
  { resources, scopes, signingKey }: FeatureParts,
): Configuration['features'] {
  const confidential = clients.filter((client) => client.client_secret !== undefined)
  const resourceServers = new Set(confidential.map(({ client_id }) => client_id))

  function resourceServer(resource: string) {
    if (!resources.all.includes(resource)) throw new errors.InvalidTarget()
    const { algorithm: alg, secret } = signing
    const sign = secret === undefined ? { alg, kid: signingKey.kid } : { alg, key: secret }
    return {
      audience: resource,
      scope: [...scopes.known].join(' '),
      accessTokenFormat: 'jwt' as const,
      accessTokenTTL: accessTokenTtl,
      jwt: { sign } as never,
    }
  }

  /** A refresh token can recreate an idle session, an access token cannot; neither an ended one. */
  async function isAlive(token: { readonly kind: string }): Promise<boolean> {
    const id = sessionOf(token)
    return token.kind === 'AccessToken' ? sessions.validate(id) : !(await sessions.hasEnded(id))
  }

  return {
    devInteractions: OFF,
    dPoP: OFF,
    pushedAuthorizationRequests: OFF,
    rpInitiatedLogout: OFF,
    userinfo: OFF,
    clientIdMetadataDocument: {
      enabled: true,
      ack: 'draft-02',
      allowFetch: (ctx, clientId) =>
        forProvider(() => documents.allowFetch(ctx, clientId, storageOf(ctx))),
    },
    registration: {
      enabled: true,
      issueRegistrationAccessToken: false,
      idFactory: () => createId('cli'),
    },
    revocation: {
      enabled: true,
      allowedPolicy: async (_ctx, client, token) => client.clientId === token.clientId,
    },
    introspection: {
      enabled: true,
      // Dynamic registration is open: only confidential pre-registered clients may introspect
      // tokens of other clients.
      allowedPolicy: async (_ctx, client, token) =>
        (client.clientId === token.clientId || resourceServers.has(client.clientId)) &&
        (await forProvider(() => isAlive(token))),
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: async (_ctx, _client, oneOf) => oneOf?.[0] ?? resources.canonical,
      getResourceServerInfo: async (_ctx, resource) => resourceServer(resource),
    },
  }
}

function sessionOf(token: object): string {
  return 'accountId' in token ? String(token.accountId) : ''
}
