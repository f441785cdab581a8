/** The operations of an identity provider, implemented with `openid-client`. Loaded lazily. */

import type { OpenIdProvider } from './openid-client.ts'
import { createCredentialUse } from './provider-credentials.ts'
import { createOperation, type OpenIdProviderDeps } from './provider-operation.ts'
import type { OpenIdProviderOptions } from './provider-options.ts'
import { createSignIn } from './provider-sign-in.ts'

export function createOperations(
  options: OpenIdProviderOptions,
  deps: OpenIdProviderDeps,
): OpenIdProvider {
  const operate = createOperation(options, deps)
  const use = createCredentialUse(options, operate, deps.now)
  return {
    ...createSignIn(options, operate, deps.now, use.revoke),
    ...use,
    // Uses its own metadata cache, so that the check never affects sign-ins.
    check: () => createOperation(options, deps)(async () => undefined),
  }
}
