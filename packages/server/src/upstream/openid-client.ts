/** The identity provider, by any OpenID Connect issuer or by plain OAuth 2.0 endpoints. */

import type { IdentityProvider } from './identity-provider.ts'
import type { OpenIdProviderDeps } from './provider-operation.ts'
import { checkProviderOptions, type OpenIdProviderOptions } from './provider-options.ts'

export type { OpenIdProviderDeps } from './provider-operation.ts'
export type { OpenIdProviderOptions } from './provider-options.ts'

export interface OpenIdProvider extends IdentityProvider {
  /** Asks for the metadata, where there is any. @throws ProviderError as signing in would */
  check(): Promise<void>
}

/**
 * Creates the provider without asking it anything: one that is down at start is found when it is
 * back. The library is loaded at the first use; concurrent first uses share it. Throws TypeError for an
 * address that may not carry secrets.
 */
export function createOpenIdProvider(
  options: OpenIdProviderOptions,
  deps: OpenIdProviderDeps,
): OpenIdProvider {
  checkProviderOptions(options)
  let loading: Promise<OpenIdProvider> | undefined
  const load = () => {
    loading ??= import('./openid-operations.ts').then(({ createOperations }) =>
      createOperations(options, deps),
    )
    return loading
  }
  return {
    authorizationUrl: async (...given) => (await load()).authorizationUrl(...given),
    exchange: async (...given) => (await load()).exchange(...given),
    refresh: async (...given) => (await load()).refresh(...given),
    revoke: async (...given) => (await load()).revoke(...given),
    check: async () => (await load()).check(),
  }
}
