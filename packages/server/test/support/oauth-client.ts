/** An OAuth client without a library, and the browser of the user who authorizes it. */

import { createHash, randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { type Browser, createBrowser, type Page } from '../../src/testing/form-browser.ts'

export interface OAuthClientOptions {
  /** Client metadata that adds to or overrides that of every test client. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /** A pre-registered client: skips registration. */
  readonly known?: { readonly client_id: string; readonly client_secret?: string }
  /** URLs of nodes for its POSTs, in turn; by default the server's URL. */
  readonly nodes?: readonly string[]
}

/** The response of an endpoint. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly token_type: string
  readonly expires_in: number
  readonly scope: string
}

/** Parameters that add to or override the usual ones; undefined omits one. */
export type Params = Readonly<Record<string, string | readonly string[] | undefined>>

export interface Authorization {
  /** The parameters of the redirect: `code` or `error`, `state` and `iss`. */
  readonly answer: URLSearchParams
  readonly code: string
  readonly verifier: string
  readonly browser: Browser
}

export interface OAuthClient {
  readonly id: string
  readonly registration: Readonly<Record<string, unknown>>
  /** The authorization URL, with its PKCE verifier. */
  request(params?: Params): { readonly url: URL; readonly verifier: string; readonly state: string }
  /** Opens the authorization URL; returns the consent page or another response. */
  openConsent(params?: Params): Promise<ConsentRequest>
  /** Performs the flow up to the code. */
  authorize(params?: Params): Promise<Authorization>
  exchange(
    authorization: Pick<Authorization, 'code' | 'verifier'>,
    params?: Params,
  ): Promise<Answer>
  refresh(token: string, params?: Params): Promise<Answer>
  revoke(token: string, params?: Params): Promise<Answer>
  introspect(token: string, params?: Params): Promise<Answer>
  /** Performs the whole flow and returns the tokens. */
  connect(params?: Params): Promise<Tokens>
}

export interface ConsentRequest {
  readonly page: Page
  readonly browser: Browser
  readonly verifier: string
  readonly state: string
  /** Submits the page with a decision; returns the redirect to the client. */
  decide(decision: 'allow' | 'deny'): Promise<Page>
}

/** Nothing listens there: the browser stops before it requests it. */
export const REDIRECT_URI = 'http://127.0.0.1:33418/callback'

/** Registers a public client, unless `metadata` says otherwise. `url` is the server's URL. */
export async function createOAuthClient(
  url: string,
  { metadata, known, nodes = [url] }: OAuthClientOptions = {},
): Promise<OAuthClient> {
  const registration = known ?? (await register(url, metadata)).body
  const { client_id: id, client_secret: secret } = registration as {
    client_id: string
    client_secret?: string
  }
  const [redirectUri = REDIRECT_URI] = (metadata?.redirect_uris as string[]) ?? []
  const authenticated = { client_id: id, client_secret: secret }
  let turn = 0
  const post = (path: string, usual: Params, params: Params = {}) => {
    turn += 1
    return postForm(nodes[turn % nodes.length] + path, { ...authenticated, ...usual, ...params })
  }

  function request(params: Params = {}) {
    const { verifier, challenge } = createPkce()
    const state = random()
    const usual = {
      response_type: 'code',
      client_id: id,
      redirect_uri: redirectUri,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      state,
    }
    return { url: new URL(`/authorize?${encode({ ...usual, ...params })}`, url), verifier, state }
  }

  async function openConsent(params?: Params): Promise<ConsentRequest> {
    const { url: address, verifier, state } = request(params)
    const browser = createBrowser(redirectUri)
    const page = await browser.open(address)
    const decide = (decision: string) => browser.open(page.url, { decision })
    return { page, browser, verifier, state, decide }
  }

  async function authorize(params?: Params): Promise<Authorization> {
    const { page, browser, verifier, decide } = await openConsent(params)
    expect(page.text).toMatch(/<h1>Authorize [^<]+\?<\/h1>/)
    const { url: called } = await decide('allow')
    const answer = called.searchParams
    expect(called.href).toContain(redirectUri)
    return { answer, code: answer.get('code') ?? '', verifier, browser }
  }

  const exchange: OAuthClient['exchange'] = ({ code, verifier }, params) => {
    const usual = { grant_type: 'authorization_code', redirect_uri: redirectUri }
    return post('/token', { ...usual, code, code_verifier: verifier }, params)
  }

  return {
    id,
    registration,
    request,
    openConsent,
    authorize,
    exchange,
    refresh: (token, params) =>
      post('/token', { grant_type: 'refresh_token', refresh_token: token }, params),
    revoke: (token, params) => post('/revoke', { token }, params),
    introspect: (token, params) => post('/introspect', { token }, params),
    async connect(params) {
      const answer = await exchange(await authorize(params))
      expect(answer.body).toMatchObject({ token_type: 'Bearer' })
      return answer.body as unknown as Tokens
    },
  }
}

/** Registers at `/register` (RFC 7591). */
export function register(
  url: string,
  metadata: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const usual = {
    client_name: 'A test client',
    redirect_uris: [REDIRECT_URI],
    token_endpoint_auth_method: 'none',
  }
  return send(`${url}/register`, JSON.stringify({ ...usual, ...metadata }), {
    'content-type': 'application/json',
    ...headers,
  })
}

/** RFC 7636, 4.1 and 4.2. */
export function createPkce(): { readonly verifier: string; readonly challenge: string } {
  const verifier = random()
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

/** Posts a form to an endpoint. */
export function postForm(
  url: string,
  params: Params,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  return send(url, encode(params).toString(), { ...type, ...headers })
}

/** The payload of an access token, unverified. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

async function send(url: string, body: string, headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual' })
  const text = await response.text()
  const parsed = text.startsWith('{') ? JSON.parse(text) : {}
  return { status: response.status, headers: response.headers, body: parsed }
}

function encode(params: Params): URLSearchParams {
  const pairs = Object.entries(params).flatMap(([name, value]) =>
    [value ?? []].flat().map((each): [string, string] => [name, String(each)]),
  )
  return new URLSearchParams(pairs)
}

function random(): string {
  return randomBytes(32).toString('base64url')
}
