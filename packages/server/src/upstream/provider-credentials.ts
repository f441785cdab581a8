/** Credentials after the sign-in: read from a token response, refreshed, revoked. */

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
export function createCredentialUse(
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
