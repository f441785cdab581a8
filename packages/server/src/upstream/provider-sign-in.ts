/** The authorization code flow with PKCE (OAuth 2.1 §4.1). */

import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  calculatePKCECodeChallenge,
} from 'openid-client'
import { requireAllowed } from './allowed-accounts.ts'
import type { IdentityProvider } from './identity-provider.ts'
import { findAccount } from './provider-account.ts'
import { credentialsFrom } from './provider-credentials.ts'
import type { Operate } from './provider-operation.ts'
import { given, type OpenIdProviderOptions, scopeOf } from './provider-options.ts'

/** Creates the two halves of the flow; `revoke` is called for accounts that are not allowed. */
export function createSignIn(
  options: OpenIdProviderOptions,
  operate: Operate,
  now: () => number,
  revoke: IdentityProvider['revoke'],
): Pick<IdentityProvider, 'authorizationUrl' | 'exchange'> {
  const isOpenId = 'issuer' in options

  return {
    async authorizationUrl(redirectUri, check) {
      const scope = scopeOf(options)
      const challenge = await calculatePKCECodeChallenge(check.codeVerifier)
      return operate(async (configuration) =>
        buildAuthorizationUrl(configuration, {
          ...authorizationParameters(options, scope),
          redirect_uri: redirectUri,
          ...(scope !== '' && { scope }),
          state: check.state,
          code_challenge: challenge,
          code_challenge_method: 'S256',
          ...(isOpenId && { nonce: check.nonce }),
        }),
      )
    },

    async exchange(callbackUrl, redirectUri, check) {
      const url = new URL(redirectUri)
      url.search = callbackUrl.search
      // Mix-up defense: `iss` is compared with the issuer (RFC 9207). Without a known issuer, the
      // distinct redirect URI of each provider separates them (RFC 9700 §4.4.2.2).
      if (!isOpenId) url.searchParams.delete('iss')
      const grant = (configuration: Configuration) =>
        authorizationCodeGrant(
          configuration,
          url,
          {
            expectedState: check.state,
            pkceCodeVerifier: check.codeVerifier,
            ...(isOpenId && { expectedNonce: check.nonce, idTokenExpected: true }),
          },
          given(options.tokenParameters),
        )
      const tokens = await operate(grant, { verifySignature: isOpenId })
      const credentials = credentialsFrom(tokens, now())
      const claims = tokens.claims()
      try {
        await requireAllowed(options, operate, tokens.access_token, claims)
      } catch (error) {
        await revoke(credentials)
        throw error
      }
      const account = await findAccount(operate, tokens.access_token, claims)
      return { ...credentials, ...(account && { account }) }
    },
  }
}

/** Defaults, which the operator's parameters override; an empty value removes one. */
function authorizationParameters(options: OpenIdProviderOptions, scope: string) {
  // OpenID Connect Core 1.0 §11: offline access requires the user's consent.
  const asksConsent = 'issuer' in options && scope.split(' ').includes('offline_access')
  return given({ ...(asksConsent && { prompt: 'consent' }), ...options.authorizationParameters })
}
