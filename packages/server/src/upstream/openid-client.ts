/** The identity provider, by any OpenID Connect issuer or by plain OAuth 2.0 endpoints. */

import type { IdentityProvider } from './identity-provider.ts'
import { createCredentialUse } from './provider-credentials.ts'
import { createOperation, type OpenIdProviderDeps } from './provider-operation.ts'
import { checkProviderOptions, type OpenIdProviderOptions } from './provider-options.ts'
import { createSignIn } from './provider-sign-in.ts'

export type { OpenIdProviderDeps } from './provider-operation.ts'
export type { OpenIdProviderOptions } from './provider-options.ts'

export interface OpenIdProvider extends IdentityProvider {
  /** Asks for the metadata, where there is any. @throws ProviderError as signing in would */
  check(): Promise<void>
}

/**
 * Creates the provider without asking it anything: one that is down at start is found when it is
 * back. Throws TypeError for an address that may not carry secrets.
 */
export function createOpenIdProvider(
  options: OpenIdProviderOptions,
  deps: OpenIdProviderDeps,
): OpenIdProvider {
  checkProviderOptions(options)
  const operate = createOperation(options, deps)
  const use = createCredentialUse(options, operate, deps.now)
  return {
    ...createSignIn(options, operate, deps.now, use.revoke),
    ...use,
    // With metadata of its own: what was found then says nothing of the first sign-in.
    check: () => createOperation(options, deps)(async () => undefined),
  }
}
