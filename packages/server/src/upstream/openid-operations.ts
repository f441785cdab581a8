/**
 * The operations of an identity provider, implemented with `openid-client` and loaded lazily: the
 * authorization code flow with PKCE (OAuth 2.1 §4.1), token exchange, refresh and revocation.
 */

import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  refreshTokenGrant,
  type TokenEndpointResponse,
  tokenRevocation,
} from 'openid-client'
import { accountOf, findAccount, requireAllowed } from './allowed-accounts.ts'
import type { Credentials, IdentityProvider, SignInCheck } from './identity-provider.ts'
import type { Operations } from './openid-client.ts'
import { providerError } from './provider-failure.ts'
import { createOperation, type OpenIdProviderDeps, type Operate } from './provider-operation.ts'
import { given, type OpenIdProviderOptions, scopeOf } from './provider-options.ts'
import { createTokenExchange } from './token-exchange.ts'

export function createOperations(
  options: OpenIdProviderOptions,
  deps: OpenIdProviderDeps,
): Operations {
  const operate = createOperation(options, deps)
  const use = createCredentialUse(options, operate, deps.now)
  return {
    ...createSignIn(options, operate, deps.now, use.revoke),
    ...use,
    exchangeToken: createTokenExchange(options, operate, deps.now),
    // Uses its own metadata cache, so that the check never affects sign-ins.
    check: () => createOperation(options, deps)(async () => undefined),
  }
}

/** Creates the two halves of the flow; `revoke` is called for accounts that are not allowed. */
function createSignIn(
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
      const tokens = await operate(
        (configuration) => redeemCode(configuration, url, check, options),
        { verifySignature: isOpenId },
      )
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

/** Exchanges the code in the query of `url`. */
function redeemCode(
  configuration: Configuration,
  url: URL,
  { state, codeVerifier, nonce }: SignInCheck,
  options: OpenIdProviderOptions,
) {
  const checks = {
    expectedState: state,
    pkceCodeVerifier: codeVerifier,
    ...('issuer' in options && { expectedNonce: nonce, idTokenExpected: true }),
  }
  return authorizationCodeGrant(configuration, url, checks, given(options.tokenParameters))
}

/** The credentials in a token response that was received at `nowMs`. */
export function credentialsFrom(tokens: TokenEndpointResponse, nowMs: number): Credentials {
  const { access_token, refresh_token, expires_in, scope } = tokens
  return {
    accessToken: access_token,
    ...(refresh_token && { refreshToken: refresh_token }),
    ...(expires_in !== undefined && { expiresAt: nowMs + expires_in * 1000 }),
    ...(scope && { scope }),
  }
}

/** Creates the operations on credentials. */
function createCredentialUse(
  { tokenParameters }: Pick<OpenIdProviderOptions, 'tokenParameters'>,
  operate: Operate,
  now: () => number,
): Pick<IdentityProvider, 'refresh' | 'revoke'> {
  return {
    async refresh({ refreshToken, scope, account }) {
      if (refreshToken === undefined) throw providerError('invalid_grant', 'no refresh token')
      return operate(async (configuration) => {
        // Skips the signature check: TLS authenticates the response (OpenID Connect Core 1.0
        // §3.1.3.7), and an unreachable key set would lose a refresh token that was just rotated.
        const tokens = await refreshTokenGrant(configuration, refreshToken, given(tokenParameters))
        const claims = tokens.claims()
        // OpenID Connect Core 1.0 §12.2: `sub` must not change.
        if (claims && account && claims.sub !== account.sub) {
          throw providerError('invalid_response', 'another subject')
        }
        const named = account ?? (claims && accountOf(claims))
        const kept = { refreshToken, ...(scope && { scope }), ...(named && { account: named }) }
        return { ...kept, ...credentialsFrom(tokens, now()) }
      })
    },

    async revoke({ refreshToken, accessToken }) {
      await operate(async (configuration) => {
        if (!configuration.serverMetadata().revocation_endpoint) return
        // Refresh token first: it lives longest, and often revokes the access token as well.
        if (refreshToken !== undefined) await revoke(configuration, refreshToken, 'refresh_token')
        await revoke(configuration, accessToken, 'access_token')
      }).catch(ignore)
    },
  }
}

/** RFC 7009 §2.1. A failure is ignored, so that the other token is revoked regardless. */
async function revoke(configuration: Configuration, token: string, hint: string): Promise<void> {
  await tokenRevocation(configuration, token, { token_type_hint: hint }).catch(ignore)
}

function ignore(): void {}
