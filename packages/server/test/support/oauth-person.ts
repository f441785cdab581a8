/** What the official clients are given for OAuth: a memory for what they hold, and a person with a browser. */

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
  /** A client that the server knows already: nothing is registered. */
  readonly known?: { readonly client_id: string; readonly client_secret?: string }
  /** Where the client's metadata document lies. */
  readonly documentUrl?: string
  readonly redirectUri?: string
  /** What it registers besides. */
  readonly metadata?: Readonly<Record<string, unknown>>
}

export interface Person {
  readonly provider: OAuthClientProvider
  /** All that the client keeps. */
  readonly memory: Memory
  /** Every address that the client has sent the person to. */
  readonly sentTo: readonly URL[]
  /** Goes where the client sent them last, lets it in, and gives what the browser brought back. */
  authorizeClient(): Promise<URLSearchParams>
}

/** The same provider goes with either version of the SDK. */
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
    const asked = sentTo.at(-1)
    const page = await browser.open(asked ?? '')
    expect(page.text).toMatch(/<h1>Authorize [^<]+\?<\/h1>/)
    const { url } = await browser.open(page.url, { decision: 'allow' })
    expect(url.href.startsWith(redirectUri)).toBe(true)
    expect(url.searchParams.get('state')).toBe(asked?.searchParams.get('state'))
    return url.searchParams
  }

  return { provider, memory, sentTo, authorizeClient }
}
