/** A one-time OAuth client for the SDK: keeps everything in memory. */

import { randomBytes } from 'node:crypto'
import type { OAuthClientProvider } from '@modelcontextprotocol/client'

type Kept<Name extends 'clientInformation' | 'tokens' | 'discoveryState'> = Awaited<
  ReturnType<NonNullable<OAuthClientProvider[Name]>>
>

export interface OneRunClient extends OAuthClientProvider {
  /** The URL for the user; available once the SDK has prepared an authorization. */
  authorizeUrl(): URL
  /** The `state` that the redirect must return unchanged (CSRF). */
  readonly expectedState: string
  tokens(): Kept<'tokens'>
  clientInformation(): Kept<'clientInformation'>
}

/** `name` appears on the consent page. */
export function createOneRunClient(name: string, redirectUri: string): OneRunClient {
  const expectedState = randomBytes(32).toString('base64url')
  let information: Kept<'clientInformation'>
  let tokens: Kept<'tokens'>
  let discovery: Kept<'discoveryState'>
  let verifier = ''
  let authorizeUrl: URL | undefined
  return {
    redirectUrl: redirectUri,
    clientMetadata: {
      client_name: name,
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
    },
    expectedState,
    state: () => expectedState,
    clientInformation: () => information,
    saveClientInformation(given) {
      information = given
    },
    tokens: () => tokens,
    saveTokens(given) {
      tokens = given
    },
    discoveryState: () => discovery,
    saveDiscoveryState(given) {
      discovery = given
    },
    codeVerifier: () => verifier,
    saveCodeVerifier(given) {
      verifier = given
    },
    redirectToAuthorization(url) {
      authorizeUrl = url
    },
    authorizeUrl() {
      if (authorizeUrl === undefined) throw new Error('The server did not ask for a sign-in.')
      return authorizeUrl
    },
  }
}
