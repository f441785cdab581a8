/** How an identity provider is named: by its issuer, or by its endpoints. */

import type { Dialect } from '../config.ts'
import type { ClientAuthenticationOptions } from './client-authentication.ts'
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

export type OpenIdProviderOptions = (IssuerOptions | EndpointOptions) & SignInOptions

export interface SignInOptions extends ClientAuthenticationOptions {
  readonly clientId: string
  /** `openid` is added when the provider is named by its issuer. */
  readonly scopes: readonly string[]
  /** More parameters of the authorization request; an empty one keeps ours from being sent. */
  readonly authorizationParameters?: Readonly<Record<string, string>> | undefined
  /** More parameters of token requests. */
  readonly tokenParameters?: Readonly<Record<string, string>> | undefined
  /** Where the provider goes its own way. */
  readonly dialect?: Dialect | undefined
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

/** The value of `scope`. */
export function scopeOf(options: OpenIdProviderOptions): string {
  return [...new Set('issuer' in options ? ['openid', ...options.scopes] : options.scopes)].join(
    ' ',
  )
}

/** The parameters that are sent: all but the empty ones. */
export function given(parameters: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== ''))
}
