/** How an identity provider is named: by its issuer, or by its endpoints. */

import { type ClientAuth, ClientSecretBasic, ClientSecretPost, None } from 'openid-client'
import { requireSecure } from './provider-fetch.ts'

/** Everything is found by discovery (OpenID Connect Discovery 1.0). */
export interface IssuerOptions {
  readonly issuer: string
}

/** Plain OAuth 2.0: no discovery, no ID token. */
export interface EndpointOptions {
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly revocationEndpoint?: string | undefined
  readonly userinfoEndpoint?: string | undefined
}

export type OpenIdProviderOptions = (IssuerOptions | EndpointOptions) & {
  readonly clientId: string
  /** Without it the client is a public one. */
  readonly clientSecret?: string | undefined
  /** How the secret is sent. Default: what the provider's metadata names, else `basic`. */
  readonly clientSecretIn?: 'basic' | 'post' | undefined
  /** `openid` is added when the provider is named by its issuer. */
  readonly scopes: readonly string[]
  /** More parameters of the authorization request, where a provider wants its own. */
  readonly authorizationParameters?: Readonly<Record<string, string>> | undefined
  /** Whether somebody may sign in, by the claims of the ID token or of userinfo. Default: all. */
  readonly isAllowed?: ((claims: Readonly<Record<string, unknown>>) => boolean) | undefined
  /** For a whole operation, in milliseconds. Default 5000. */
  readonly timeoutMs?: number | undefined
  /** Plain http to this machine, for development. Default false. */
  readonly allowInsecureHttp?: boolean | undefined
}

/** Throws TypeError for an address that may not carry secrets: at start, not at first sign-in. */
export function checkProviderOptions(options: OpenIdProviderOptions): void {
  const addresses =
    'issuer' in options
      ? [options.issuer]
      : [
          options.authorizationEndpoint,
          options.tokenEndpoint,
          options.revocationEndpoint,
          options.userinfoEndpoint,
        ]
  for (const address of addresses) {
    if (address !== undefined) requireSecure(address, options.allowInsecureHttp ?? false)
  }
}

/** How this server proves who it is to the provider (RFC 6749 §2.3.1). */
export function clientAuthentication(options: OpenIdProviderOptions): ClientAuth {
  const { clientSecret, clientSecretIn } = options
  if (clientSecret === undefined) return None()
  const basic = ClientSecretBasic(clientSecret)
  const post = ClientSecretPost(clientSecret)
  if (clientSecretIn !== undefined) return clientSecretIn === 'post' ? post : basic
  return (server, client, body, headers) => {
    // OpenID Connect Discovery 1.0 §3: client_secret_basic when the metadata names none.
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    const usePost =
      !methods.includes('client_secret_basic') && methods.includes('client_secret_post')
    return (usePost ? post : basic)(server, client, body, headers)
  }
}

/** The value of `scope`. */
export function scopeOf(options: OpenIdProviderOptions): string {
  return [...new Set('issuer' in options ? ['openid', ...options.scopes] : options.scopes)].join(
    ' ',
  )
}
