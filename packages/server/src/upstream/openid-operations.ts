/** What is asked of an identity provider, by `openid-client`. Loaded at its first use. */

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
    // With metadata of its own: what was found then says nothing of the first sign-in.
    check: () => createOperation(options, deps)(async () => undefined),
  }
}
