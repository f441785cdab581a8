/** Token exchange: exchanges the token that the caller presented for an access token of the API. */

import { genericGrantRequest } from 'openid-client'
import type { IdentityProvider } from './identity-provider.ts'
import { providerError } from './provider-failure.ts'
import type { Operate } from './provider-operation.ts'
import { given, type OpenIdProviderOptions } from './provider-options.ts'

/** RFC 8693, section 2.1. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
/** RFC 7523, section 2.1; with `requested_token_use`, Entra's on-behalf-of flow. */
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const JWT = 'urn:ietf:params:oauth:token-type:jwt'

/** Scopes of a sign-in, not requested: the exchanged token must not outlive the caller's token. */
const SIGN_IN_SCOPES = new Set(['openid', 'offline_access'])

/** The scopes that an exchange requests. */
export function exchangeScopes(scopes: readonly string[]): readonly string[] {
  return scopes.filter((scope) => !SIGN_IN_SCOPES.has(scope))
}

export function createTokenExchange(
  {
    scopes,
    tokenParameters,
    tokenExchange: { kind, audience } = { kind: 'rfc8693' },
  }: Pick<OpenIdProviderOptions, 'scopes' | 'tokenParameters' | 'tokenExchange'>,
  operate: Operate,
  now: () => number,
): NonNullable<IdentityProvider['exchangeToken']> {
  const scope = exchangeScopes(scopes).join(' ')
  const common = { ...given(tokenParameters), ...(scope !== '' && { scope }) }

  const requestFor = (token: string): readonly [grant: string, Record<string, string>] =>
    kind === 'entra-obo'
      ? [JWT_BEARER, { ...common, assertion: token, requested_token_use: 'on_behalf_of' }]
      : [
          TOKEN_EXCHANGE,
          {
            ...common,
            ...{ subject_token: token, subject_token_type: ACCESS_TOKEN },
            requested_token_type: ACCESS_TOKEN,
            ...(audience !== undefined && { audience }),
          },
        ]

  return ({ token, expiresAt }) =>
    operate(async (configuration) => {
      const answer = await genericGrantRequest(configuration, ...requestFor(token))
      const { access_token: accessToken, expires_in: lifetime, issued_token_type: type } = answer
      if (type !== undefined && type !== ACCESS_TOKEN && type !== JWT) {
        throw providerError('invalid_response', 'not an access token', {
          field: 'issued_token_type',
        })
      }
      if (accessToken === token) throw providerError('invalid_response', 'the same token')
      // A refresh token is dropped: nobody acts for a person whose own token has expired.
      const until = lifetime === undefined ? expiresAt : now() + lifetime * 1000
      return { accessToken, expiresAt: Math.min(until, expiresAt) }
    })
}
