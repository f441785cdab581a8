/**
 * Requests access tokens of this server's own account at a provider (RFC 6749, section 4.4). Loaded
 * lazily, as all that needs `openid-client`.
 */

import { clientCredentialsGrant } from 'openid-client'
import type { Credentials } from './identity-provider.ts'
import { credentialsFrom } from './openid-operations.ts'
import { createOperation, type OpenIdProviderDeps } from './provider-operation.ts'
import { given, type OpenIdProviderOptions } from './provider-options.ts'

/** @throws ProviderError */
export type RequestServiceToken = () => Promise<Credentials>

/** `scopes` of the options are those of the account; none are added. */
export function createServiceTokenRequest(
  options: OpenIdProviderOptions,
  deps: OpenIdProviderDeps,
): RequestServiceToken {
  const operate = createOperation(options, deps)
  const scope = options.scopes.join(' ')
  return () =>
    operate(async (configuration) => {
      const parameters = { ...(scope !== '' && { scope }), ...given(options.tokenParameters) }
      const tokens = await clientCredentialsGrant(configuration, parameters)
      return credentialsFrom(tokens, deps.now())
    })
}
