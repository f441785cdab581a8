/**
 * Settings of common identity providers: the variables to reach them, and how they deviate from the
 * standards. Each follows the provider's own documentation, which docs/providers.md names.
 */

import type { RawVariables } from './sources.ts'

/** Where a provider deviates from the standards. */
export interface Dialect {
  /**
   * Error codes that mean here that the refresh token is revoked; elsewhere they refuse the client.
   */
  readonly deadRefreshCodes?: readonly string[]
  /** The audience of client assertions is the token endpoint rather than the issuer. */
  readonly assertsForTokenEndpoint?: true
  /** The algorithm with which RSA keys sign assertions; RS256 by default. */
  readonly rsaAlgorithm?: 'PS256'
}

interface Preset {
  /** Defaults of variables; the operator's values override them. */
  readonly variables: RawVariables
  readonly dialect?: Dialect
}

export const PRESET_NAMES = [
  ...(['google', 'github', 'entra', 'auth0', 'okta', 'keycloak'] as const),
  ...(['slack', 'atlassian', 'gitlab'] as const),
] as const

export const presets: Readonly<Record<(typeof PRESET_NAMES)[number], Preset>> = {
  google: {
    variables: {
      UPSTREAM_ISSUER: 'https://accounts.google.com',
      UPSTREAM_SCOPES: 'openid email profile',
      // There is no scope for refresh tokens; the provider issues one only with the user's consent.
      UPSTREAM_AUTHORIZATION_PARAMETERS: 'access_type=offline&prompt=consent',
    },
  },
  github: {
    variables: {
      UPSTREAM_AUTHORIZATION_ENDPOINT: 'https://github.com/login/oauth/authorize',
      UPSTREAM_TOKEN_ENDPOINT: 'https://github.com/login/oauth/access_token',
      UPSTREAM_USERINFO_ENDPOINT: 'https://api.github.com/user',
      UPSTREAM_CLIENT_AUTH: 'post',
      UPSTREAM_API_URL: 'https://api.github.com',
    },
  },
  entra: {
    variables: { UPSTREAM_SCOPES: 'openid profile email offline_access' },
    dialect: { assertsForTokenEndpoint: true, rsaAlgorithm: 'PS256' },
  },
  auth0: { variables: { UPSTREAM_SCOPES: 'openid profile email offline_access' } },
  okta: { variables: { UPSTREAM_SCOPES: 'openid profile email offline_access' } },
  // A refresh token needs no scope; one for offline_access would outlive the session there.
  keycloak: { variables: { UPSTREAM_SCOPES: 'openid profile email' } },
  slack: {
    variables: {
      UPSTREAM_AUTHORIZATION_ENDPOINT: 'https://slack.com/oauth/v2/authorize',
      UPSTREAM_TOKEN_ENDPOINT: 'https://slack.com/api/oauth.v2.access',
      UPSTREAM_CLIENT_AUTH: 'basic',
      UPSTREAM_API_URL: 'https://slack.com/api',
    },
  },
  atlassian: {
    variables: {
      UPSTREAM_AUTHORIZATION_ENDPOINT: 'https://auth.atlassian.com/authorize',
      UPSTREAM_TOKEN_ENDPOINT: 'https://auth.atlassian.com/oauth/token',
      UPSTREAM_USERINFO_ENDPOINT: 'https://api.atlassian.com/me',
      UPSTREAM_CLIENT_AUTH: 'post',
      UPSTREAM_SCOPES: 'read:me offline_access',
      UPSTREAM_AUTHORIZATION_PARAMETERS: 'audience=api.atlassian.com&prompt=consent',
      UPSTREAM_API_URL: 'https://api.atlassian.com',
    },
    dialect: { deadRefreshCodes: ['unauthorized_client'] },
  },
  gitlab: {
    variables: {
      UPSTREAM_ISSUER: 'https://gitlab.com',
      UPSTREAM_SCOPES: 'openid profile email read_api',
      UPSTREAM_API_URL: 'https://gitlab.com/api/v4',
    },
  },
}
