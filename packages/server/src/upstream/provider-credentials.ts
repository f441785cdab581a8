/** Credentials after the sign-in: taken from an answer, refreshed, revoked. */

import {
  type Configuration,
  refreshTokenGrant,
  type TokenEndpointResponse,
  tokenRevocation,
} from 'openid-client'
import type { Credentials, IdentityProvider } from './identity-provider.ts'
import { accountOf } from './provider-account.ts'
import { providerError } from './provider-failure.ts'
import type { Operate } from './provider-operation.ts'
import { given, type OpenIdProviderOptions } from './provider-options.ts'

/** What a token answer holds; `nowMs` is when it came. */
export function credentialsFrom(tokens: TokenEndpointResponse, nowMs: number): Credentials {
  const { access_token, refresh_token, expires_in, scope } = tokens
  return {
    accessToken: access_token,
    ...(refresh_token && { refreshToken: refresh_token }),
    ...(expires_in !== undefined && { expiresAt: nowMs + expires_in * 1000 }),
    ...(scope && { scope }),
  }
}

/** Creates what can be done with credentials. */
export function createCredentialUse(
  { tokenParameters }: Pick<OpenIdProviderOptions, 'tokenParameters'>,
  operate: Operate,
  now: () => number,
): Pick<IdentityProvider, 'refresh' | 'revoke'> {
  return {
    async refresh({ refreshToken, scope, account }) {
      if (refreshToken === undefined) throw providerError('invalid_grant', 'no refresh token')
      return operate(async (configuration) => {
        // The signature is not checked here: TLS vouches for the answer (OpenID Connect Core 1.0
        // §3.1.3.7), and a key set out of reach would lose a refresh token that was just rotated.
        const tokens = await refreshTokenGrant(configuration, refreshToken, given(tokenParameters))
        const claims = tokens.claims()
        // OpenID Connect Core 1.0 §12.2: the same person as before.
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
        // The refresh token first: it lives longest, and often takes the access token with it.
        if (refreshToken !== undefined) await revoke(configuration, refreshToken, 'refresh_token')
        await revoke(configuration, accessToken, 'access_token')
      }).catch(ignore)
    },
  }
}

/** RFC 7009 §2.1. A token the provider will not revoke does not keep it from the other one. */
async function revoke(configuration: Configuration, token: string, hint: string): Promise<void> {
  await tokenRevocation(configuration, token, { token_type_hint: hint }).catch(ignore)
}

function ignore(): void {}
