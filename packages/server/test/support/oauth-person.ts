/** The OAuth provider of the official clients: storage in memory, and a user with a browser. */

import type { OAuthClientProvider } from '@modelcontextprotocol/client'
import { expect } from 'vitest'
import { createBrowser } from '../../src/testing/form-browser.ts'
import { REDIRECT_URI } from './oauth-client.ts'

type Held<Read extends keyof OAuthClientProvider> = OAuthClientProvider[Read] extends
  | ((...given: never[]) => infer Value)
  | undefined
  ? Exclude<Awaited<Value>, undefined>
  : never

export interface Memory {
  client?: Held<'clientInformation'>
  tokens?: Held<'tokens'>
  discovery?: Held<'discoveryState'>
  verifier?: string
}

export interface PersonOptions {
  /** A pre-registered client: skips registration. */
  readonly known?: { readonly client_id: string; readonly client_secret?: string }
  /** The URL of the client's metadata document. */
  readonly documentUrl?: string
  readonly redirectUri?: string
  /** Additional client metadata. */
  readonly metadata?: Readonly<Record<string, unknown>>
}

export interface Person {
  readonly provider: OAuthClientProvider
  /** The client's stored data. */
  readonly memory: Memory
  /** All authorization URLs that the client has opened. */
  readonly sentTo: readonly URL[]
  /** Opens the last authorization URL, grants consent, and returns the parameters of the redirect. */
  authorizeClient(): Promise<URLSearchParams>
}

/** The same provider works with both versions of the SDK. */
export function createPerson({
  known,
  documentUrl,
  redirectUri = REDIRECT_URI,
  metadata = {},
}: PersonOptions = {}): Person {
  const memory: Memory = known === undefined ? {} : { client: known }
  const sentTo: URL[] = []
  const browser = createBrowser(redirectUri)
  const provider: OAuthClientProvider = {
    redirectUrl: redirectUri,
    ...(documentUrl !== undefined && { clientMetadataUrl: documentUrl }),
    clientMetadata: {
      client_name: 'An official client',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      ...metadata,
    },
    state: () => crypto.randomUUID(),
    clientInformation: () => memory.client,
    saveClientInformation(client) {
      memory.client = client
    },
    tokens: () => memory.tokens,
    saveTokens(tokens) {
      memory.tokens = tokens
    },
    redirectToAuthorization: (url) => void sentTo.push(url),
    saveCodeVerifier(verifier) {
      memory.verifier = verifier
    },
    codeVerifier: () => memory.verifier ?? '',
    discoveryState: () => memory.discovery,
    saveDiscoveryState(discovery) {
      memory.discovery = discovery
    },
    invalidateCredentials(what) {
      if (what === 'all' || what === 'client') delete memory.client
      if (what === 'all' || what === 'tokens') delete memory.tokens
      if (what === 'all' || what === 'verifier') delete memory.verifier
      if (what === 'all' || what === 'discovery') delete memory.discovery
    },
  }

  async function authorizeClient(): Promise<URLSearchParams> {
    const authorizationUrl = sentTo.at(-1)
    const page = await browser.open(authorizationUrl ?? '')
    expect(page.text).toMatch(/<h1>Authorize [^<]+\?<\/h1>/)
    const { url } = await browser.open(page.url, { decision: 'allow' })
    expect(url.href.startsWith(redirectUri)).toBe(true)
    expect(url.searchParams.get('state')).toBe(authorizationUrl?.searchParams.get('state'))
    return url.searchParams
  }

  return { provider, memory, sentTo, authorizeClient }
}
