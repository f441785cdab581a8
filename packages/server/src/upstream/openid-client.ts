/** Identity provider driver for OpenID Connect issuers and plain OAuth 2.0 endpoints. */

import type { IdentityProvider } from './identity-provider.ts'
import type { OpenIdProviderDeps } from './provider-operation.ts'
import { checkProviderOptions, type OpenIdProviderOptions } from './provider-options.ts'

export type { OpenIdProviderDeps } from './provider-operation.ts'
export type { OpenIdProviderOptions } from './provider-options.ts'

export interface OpenIdProvider extends IdentityProvider {
  /** Fetches the metadata, with discovery only. @throws ProviderError as a sign-in would */
  check(): Promise<void>
}

/** All operations, whether they are configured or not. */
export type Operations = Required<OpenIdProvider>

/**
 * Creates the provider without any request, so that a provider that is down at start works once it
 * recovers. Loads the library lazily; concurrent first uses share the load. Throws TypeError for a
 * URL that must not carry secrets.
 */
export function createOpenIdProvider(
  options: OpenIdProviderOptions,
  deps: OpenIdProviderDeps,
): OpenIdProvider {
  checkProviderOptions(options)
  let loading: Promise<Operations> | undefined
  const load = () => {
    loading ??= import('./openid-operations.ts').then(({ createOperations }) =>
      createOperations(options, deps),
    )
    return loading
  }
  const exchanging: Pick<IdentityProvider, 'exchangeToken'> =
    options.tokenExchange === undefined
      ? {}
      : { exchangeToken: async (subject) => (await load()).exchangeToken(subject) }
  return {
    ...exchanging,
    authorizationUrl: async (...given) => (await load()).authorizationUrl(...given),
    exchange: async (...given) => (await load()).exchange(...given),
    refresh: async (...given) => (await load()).refresh(...given),
    revoke: async (...given) => (await load()).revoke(...given),
    check: async () => (await load()).check(),
  }
}
