/**
 * The configuration of `oidc-provider`, its features and their policies: OAuth 2.1 for MCP clients,
 * without OpenID Connect.
 */

import {
  type AccessToken,
  type AdapterFactory,
  type Configuration,
  errors,
  type ResourceServer,
} from 'oidc-provider'
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
  withoutRedirects,
} from './clients.ts'
import { isOfEarlierSession, subjectOf } from './derived-sessions.ts'
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
    clients: options.clients.map(preRegistered) as never,
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
    extraParams: { scope: scopeParameter(scopes, deps.blocks) },
    responseTypes: ['code'],
    // PKCE for every client, confidential ones included (OAuth 2.1).
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
    extraTokenClaims: async (_ctx, token) => claimsOf(token as AccessToken),
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

/** The claims of an access token besides those of RFC 9068. */
function claimsOf(token: AccessToken): Record<string, unknown> {
  const { accountId: session_id, grantId } = token
  return { session_id, grant_id: grantClaimOf(grantId), asserted_subject: subjectOf(token) }
}

/** The metadata of a client of the configuration, for the library. */
function preRegistered(metadata: Readonly<Record<string, unknown>>) {
  return withoutRedirects(withDefaultAuthMethod(withAssertionKeys(metadata)))
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
  options: AuthorizationServerOptions,
  deps: AuthorizationServerDeps,
  parts: FeatureParts,
): Configuration['features'] {
  const { sessions, documents } = deps
  const { resources } = parts
  const resourceServer = resourceServersOf(options, deps, parts)
  const confidential = options.clients.filter((client) => client.client_secret !== undefined)
  const resourceServers = new Set(confidential.map(({ client_id }) => client_id))

  /** A refresh token can recreate an idle session, an access token cannot; neither an ended one. */
  async function isAlive(token: AccessToken | { readonly kind: string }): Promise<boolean> {
    const id = sessionOf(token)
    if (token.kind !== 'AccessToken') return !(await sessions.hasEnded(id))
    const session = await sessions.peek(id)
    return session !== undefined && !isOfEarlierSession(token as AccessToken, session)
  }

  return {
    devInteractions: OFF,
    dPoP: OFF,
    pushedAuthorizationRequests: OFF,
    rpInitiatedLogout: OFF,
    userinfo: OFF,
    clientIdMetadataDocument: {
      enabled: !options.machinesOnly,
      ack: 'draft-02',
      allowFetch: (ctx, clientId) =>
        forProvider(() => documents.allowFetch(ctx, clientId, storageOf(ctx))),
    },
    registration: {
      enabled: !options.machinesOnly,
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

/** The description of a resource for the library. @throws InvalidTarget for one that is not ours */
export function resourceServersOf(
  { accessTokenTtl }: Pick<AuthorizationServerOptions, 'accessTokenTtl'>,
  { signing }: Pick<AuthorizationServerDeps, 'signing'>,
  { resources, scopes, signingKey }: FeatureParts,
): (resource: string) => ResourceServer {
  const { algorithm: alg, secret } = signing
  const sign = secret === undefined ? { alg, kid: signingKey.kid } : { alg, key: secret }
  return (resource) => {
    if (!resources.all.includes(resource)) throw new errors.InvalidTarget()
    return {
      audience: resource,
      scope: [...scopes.known].join(' '),
      accessTokenFormat: 'jwt',
      accessTokenTTL: accessTokenTtl,
      jwt: { sign } as never,
    }
  }
}

function sessionOf(token: object): string {
  return 'accountId' in token ? String(token.accountId) : ''
}
