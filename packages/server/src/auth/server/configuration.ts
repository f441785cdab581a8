/** The configuration of `oidc-provider`: OAuth 2.1 for MCP clients, without OpenID Connect. */

import type { AccessToken, AdapterFactory, Configuration } from 'oidc-provider'
import { basePathOf } from '../../config/public-path.ts'
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
import { subjectOf } from './derived-sessions.ts'
import type { ConsentedClients } from './error-redirects.ts'
import { type Grants, grantClaimOf } from './grants.ts'
import { normalizeDocuments, withAssertionKeys } from './metadata-documents.ts'
import {
  type AuthorizationServerDeps,
  type AuthorizationServerOptions,
  CONSENT_TTL_SECONDS,
} from './options.ts'
import { type FeatureParts, providerFeatures } from './provider-features.ts'
import { scopeParameter } from './requests.ts'
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
    ...clientSettings(options, clientRules),
    jwks: {
      keys: [{ ...privateJwk, kid, alg: clientRules.idTokenAlgorithm, use: 'sig' } as never],
    },
    cookies: cookieSettings(deps),
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
    formats: { customizers: { jwt: onAccessToken(parts) } },
    features: providerFeatures(options, deps, parts),
    interactions: { url: (_ctx, { uid }) => consentPath(options) + uid },
    routes: ROUTES,
    async renderError(ctx, { error, error_description: description }) {
      const { headers, html } = await deps.errorPage({ error, description })
      ctx.set(headers)
      ctx.body = html
    },
    ttl: timesToLive(options),
  }
}

const ROUTES = {
  authorization: '/authorize',
  token: '/token',
  registration: '/register',
  revocation: '/revoke',
  introspection: '/introspect',
  jwks: '/jwks',
}

function clientSettings(options: AuthorizationServerOptions, clientRules: ClientRules) {
  return {
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
  } satisfies Configuration
}

function cookieSettings({ keyRing }: Pick<AuthorizationServerDeps, 'keyRing'>) {
  return {
    keys: keyRing.subKeys('oauth-cookies').map((key) => key.toString('base64url')),
    names: COOKIES,
    long: { signed: true, httpOnly: true, sameSite: 'lax' },
    short: { signed: true, httpOnly: true, sameSite: 'lax' },
  } satisfies Configuration['cookies']
}

type CustomizeJwt = NonNullable<NonNullable<Configuration['formats']>['customizers']>['jwt']

/** Records each access token that is issued. */
function onAccessToken({ grants, clientUsed }: ProviderParts): CustomizeJwt {
  return async (_ctx, token, structured) => {
    if (!('accountId' in token)) return
    await Promise.all([
      rememberAccessToken(token, structured),
      forProvider(() => grants.used(String(token.grantId))),
      forProvider(() => clientUsed(String(token.clientId))),
    ])
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
