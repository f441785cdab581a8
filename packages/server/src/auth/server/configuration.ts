/** How `oidc-provider` is set up: OAuth 2.1 for MCP clients, and nothing of OpenID Connect. */

import type { AdapterFactory, Configuration } from 'oidc-provider'
import { basePathOf } from '../../config/base-path.ts'
import { rememberAccessToken } from './access-tokens.ts'
import { createFindAccount } from './accounts.ts'
import { withAssertionKeys } from './assertion-keys.ts'
import type { AuthorizedClients } from './authorized-clients.ts'
import {
  ASSERTION_KEYS,
  AUTH_METHOD_CHOICES,
  type ClientRules,
  checkClient,
  withDefaultAuthMethod,
} from './clients.ts'
import { type FeatureParts, providerFeatures } from './features.ts'
import { type Grants, grantClaimOf } from './grants.ts'
import { normalizeDocuments } from './metadata-documents.ts'
import {
  type AuthorizationServerDeps,
  type AuthorizationServerOptions,
  CONSENT_TTL_SECONDS,
} from './options.ts'
import { scopeParameter } from './requests.ts'
import { requireSignedInGrant } from './signed-in-grants.ts'
import { forProvider } from './unavailable.ts'

/** Below it the consent pages lie, by the authorization's id. */
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
  readonly authorizedClients: AuthorizedClients
  readonly grants: Pick<Grants, 'used'>
  /** Told when a client is given tokens. */
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
    // What pages of other origins may do is decided before requests come here.
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
    // Refreshing does not prolong what a person allowed.
    RefreshToken: (ctx) => Math.max(1, ctx.oidc.entities.Grant?.remainingTTL ?? 1),
    // Neither exists, but the library wants to know.
    Session: 60,
    IdToken: 60,
  }
}
