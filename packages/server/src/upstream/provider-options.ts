/** Options of an identity provider, configured by its issuer or by its endpoints. */

import type { Dialect } from '../config.ts'
import type { ClientAuthenticationOptions } from './client-authentication.ts'
import { requireSecure } from './provider-fetch.ts'

/** Endpoints are found by discovery (OpenID Connect Discovery 1.0). */
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

export type OpenIdProviderOptions = (IssuerOptions | EndpointOptions) & SignInOptions

export interface SignInOptions extends ClientAuthenticationOptions {
  readonly clientId: string
  /** `openid` is added for a provider configured by its issuer. */
  readonly scopes: readonly string[]
  /** Additional authorization parameters; an empty value removes a default one. */
  readonly authorizationParameters?: Readonly<Record<string, string>> | undefined
  /** Additional parameters of token requests. */
  readonly tokenParameters?: Readonly<Record<string, string>> | undefined
  /** Exchange of callers' tokens; absent for none. */
  readonly tokenExchange?: TokenExchangeOptions | undefined
  /** The provider's deviations from the standards. */
  readonly dialect?: Dialect | undefined
  /** Allow-list check on the claims of the ID token or of userinfo. Default: all accounts. */
  readonly isAllowed?: ((claims: Readonly<Record<string, unknown>>) => boolean) | undefined
  /** Timeout of a whole operation, in milliseconds. Default 5000. */
  readonly timeoutMs?: number | undefined
  /** Plain http to this machine, for development. Default false. */
  readonly allowInsecureHttp?: boolean | undefined
}

/** How callers' tokens are exchanged: by RFC 8693, or by Entra's on-behalf-of flow. */
export interface TokenExchangeOptions {
  readonly kind: 'rfc8693' | 'entra-obo'
  /** The API's name at the provider (RFC 8693, 2.1). */
  readonly audience?: string | undefined
}

/** Throws TypeError for a URL that must not carry secrets: at startup, not at the first sign-in. */
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

/** The value of `scope`. */
export function scopeOf(options: OpenIdProviderOptions): string {
  return [...new Set('issuer' in options ? ['openid', ...options.scopes] : options.scopes)].join(
    ' ',
  )
}

/** Drops empty parameters. */
export function given(parameters: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== ''))
}
