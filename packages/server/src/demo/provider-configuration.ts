/**
 * The configuration of the demo's identity provider: one client, code flow with PKCE, refresh token
 * rotation.
 */

import type {
  Account,
  AdapterFactory,
  ClientMetadata,
  Configuration,
  KoaContextWithOIDC,
} from 'oidc-provider'
import { errorPage, PAGE_HEADERS } from './demo-pages.ts'
import { INTERACTION_PATH } from './demo-sign-in.ts'
import type { DerivedSecrets } from './derived-secrets.ts'
import { findPerson } from './people.ts'

const MINUTE = 60
const HOUR = 60 * MINUTE

/** The longest lifetime of any token of a grant. */
const LONGEST_TTL_SECONDS = 14 * 24 * HOUR

/** The location of its entries in the store. */
export const DEMO_ENTRIES = { prefix: 'demo', longestTtlSeconds: LONGEST_TTL_SECONDS }

/** Differs from the cookies of the server's own authorization server, which shares the host. */
export const SESSION_COOKIE = 'demo_session'

export interface ProviderConfigurationOptions {
  readonly path: string
  readonly clientId: string
  readonly redirectUris: readonly string[]
  readonly accessTokenTtlSeconds: number
  readonly secrets: DerivedSecrets
  readonly adapter: AdapterFactory
}

/** The library's configuration; sets every option whose absence it would warn about at start. */
export function providerConfiguration(options: ProviderConfigurationOptions): Configuration {
  const { path, secrets } = options
  return {
    adapter: options.adapter,
    clients: [clientOf(options)],
    jwks: { keys: [secrets.signingKey] },
    cookies: {
      keys: [secrets.cookieKey],
      names: { session: SESSION_COOKIE, interaction: 'demo_interaction', resume: 'demo_resume' },
      long: { signed: true, httpOnly: true, sameSite: 'lax', path },
      short: { signed: true, httpOnly: true, sameSite: 'lax' },
    },
    claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
    // Includes the name in the ID token, which saves a request to userinfo.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    expiresWithSession: async () => false,
    clientBasedCORS: () => false,
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => client.clientId === token.clientId,
      },
    },
    interactions: { url: (_ctx, { uid }) => path + INTERACTION_PATH + uid },
    findAccount: (_ctx, id) => accountOf(id),
    renderError,
    ttl: {
      AccessToken: options.accessTokenTtlSeconds,
      AuthorizationCode: MINUTE,
      Grant: LONGEST_TTL_SECONDS,
      IdToken: HOUR,
      Interaction: 10 * MINUTE,
      RefreshToken: LONGEST_TTL_SECONDS,
      Session: 10 * MINUTE,
    },
  }
}

function clientOf({ clientId, redirectUris, secrets }: ProviderConfigurationOptions) {
  return {
    client_id: clientId,
    client_secret: secrets.clientSecret,
    redirect_uris: [...redirectUris],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
    id_token_signed_response_alg: 'ES256',
  } satisfies ClientMetadata
}

function accountOf(id: string): Account | undefined {
  const person = findPerson(id)
  if (!person) return undefined
  const { name, email } = person
  const claims = { sub: id, name, email, email_verified: true }
  return { accountId: id, claims: async () => claims }
}

function renderError(
  ctx: KoaContextWithOIDC,
  { error, error_description }: { error: string; error_description?: string | undefined },
): void {
  ctx.set(PAGE_HEADERS)
  ctx.body = errorPage(error, error_description)
}
