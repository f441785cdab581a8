/** An OAuth client for one run, as the SDK wants it: everything is kept in memory. */

import { randomBytes } from 'node:crypto'
import type { OAuthClientProvider } from '@modelcontextprotocol/client'

type Kept<Name extends 'clientInformation' | 'tokens' | 'discoveryState'> = Awaited<
  ReturnType<NonNullable<OAuthClientProvider[Name]>>
>

export interface OneRunClient extends OAuthClientProvider {
  /** Where the person has to go; there once the SDK has prepared an authorization. */
  authorizeUrl(): URL
  /** What it asks for comes back unchanged, or the answer is to another question. */
  readonly expectedState: string
  tokens(): Kept<'tokens'>
  clientInformation(): Kept<'clientInformation'>
}

/** `name` is shown to the person on the consent page. */
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
