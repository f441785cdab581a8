/** Simulates a user who authorizes clients repeatedly in one browser, and inspects the resulting sessions. */

import { expect } from 'vitest'
import { type Browser, createBrowser, type Page } from '../../src/testing/form-browser.ts'
import { structured } from './clients.ts'
import {
  claimsOf,
  type OAuthClient,
  type Params,
  REDIRECT_URI,
  type Tokens,
} from './oauth-client.ts'
import { withToken } from './token-app.ts'
import { INITIALIZE, post, postModern, read, request } from './wire.ts'

export interface AuthorizeOptions {
  readonly params?: Params
  readonly decision?: 'allow' | 'continue' | 'anew'
  /** The account to sign in with at the provider, if required. */
  readonly person?: string
}

/** A browser that stops at the client's redirect URI. */
export const personsBrowser = (redirectUri = 'http://127.0.0.1:'): Browser =>
  createBrowser(redirectUri)

/** Opens the consent page of a client's authorization request. */
export async function consentPage(client: OAuthClient, browser: Browser, params: Params = {}) {
  const request = client.request(params)
  return { ...request, page: await browser.open(request.url) }
}

/** Performs an authorization request and returns the code. */
export async function codeFor(
  client: OAuthClient,
  browser: Browser,
  { params = {}, decision = 'allow', person = 'ada' }: AuthorizeOptions = {},
) {
  const { page, verifier } = await consentPage(client, browser, params)
  let answered: Page = await browser.open(page.url, { decision })
  if (answered.text.includes('Who are you?'))
    answered = await browser.open(answered.url, { person })
  const code = answered.url.searchParams.get('code') ?? expect.fail(answered.text)
  return { code, verifier }
}

/** Performs the whole flow and returns the tokens. */
export async function authorize(
  client: OAuthClient,
  browser: Browser,
  options: AuthorizeOptions = {},
): Promise<Tokens> {
  const { redirect_uri } = options.params ?? {}
  const granted = await codeFor(client, browser, options)
  const { status, body } = await client.exchange(
    granted,
    redirect_uri === undefined ? {} : { redirect_uri },
  )
  expect(status).toBe(200)
  return body as unknown as Tokens
}

export const sessionOf = ({ access_token: token }: Tokens) => String(claimsOf(token).session_id)
export const bearer = ({ access_token: token }: Tokens) => withToken(token)

/** Reads the value stored in the session of these tokens, and stores a new one. */
export async function remember(url: string, tokens: Tokens, text?: string): Promise<string> {
  const params = { name: 'remember', arguments: { ...(text !== undefined && { text }) } }
  const headers = bearer(tokens)
  const { message } = await read(postModern(url, 'tools/call', params, { headers }))
  return structured<{ before: string }>(message.result ?? {}).before
}

/** The HTTP status of a call with these tokens. */
export async function statusOf(url: string, tokens: Tokens): Promise<number> {
  return (await read(postModern(url, 'tools/list', {}, { headers: bearer(tokens) }))).status
}

/** Opens an MCP session (2025 era) and returns its id. */
export async function openMcpSession(url: string, tokens: Tokens): Promise<string> {
  const { headers } = await read(post(url, INITIALIZE, bearer(tokens)))
  return headers.get('mcp-session-id') ?? expect.fail('no connection')
}

/** The result of `remember` in an MCP session, or the status of the refusal. */
export async function rememberIn(url: string, id: string, tokens: Tokens, text?: string) {
  const params = { name: 'remember', arguments: { ...(text !== undefined && { text }) } }
  const headers = { ...bearer(tokens), 'mcp-session-id': id }
  const { status, message } = await read(post(url, request('tools/call', params), headers))
  return status === 200 ? structured<{ before: string }>(message.result ?? {}).before : status
}

/** Signs in upstream for the session of these tokens, in the known browser: without a code. */
export async function signIn(url: string, tokens: Tokens, browser: Browser, person = 'ada') {
  const headers = bearer(tokens)
  const { message } = await read(postModern(url, 'tools/call', { name: 'login' }, { headers }))
  const link = structured<{ url: string }>(message.result ?? {}).url
  const choice = await browser.open(link, {})
  expect(choice.text).toContain('Who are you?')
  expect((await browser.open(choice.url, { person })).text).toContain('Login successful')
}

/** Calls a tool that requires a sign-in; returns the account, or the error code. */
export async function serviceOwner(url: string, tokens: Tokens): Promise<unknown> {
  const headers = bearer(tokens)
  const answer = await read(postModern(url, 'tools/call', { name: 'service' }, { headers }))
  if (answer.status !== 200) return answer.status
  const { owner } = structured<{ owner?: string }>(answer.message.result ?? {}) ?? {}
  return owner ?? 'nobody'
}

/** Calls `logout`. */
export async function logout(url: string, tokens: Tokens): Promise<void> {
  const headers = bearer(tokens)
  await read(postModern(url, 'tools/call', { name: 'logout' }, { headers }))
}

/** A session in use: a stored value, an MCP session, and its browser. */
export async function openedSession(
  [first, second]: readonly [string, string, ...string[]],
  client: OAuthClient,
  options: AuthorizeOptions = {},
) {
  const [redirectUri = REDIRECT_URI] = (client.registration.redirect_uris ?? []) as string[]
  const browser = personsBrowser(new URL(redirectUri).origin.replace(/\d+$/, ''))
  const tokens = await authorize(client, browser, { params: { scope: 'mcp' }, ...options })
  await remember(first, tokens, 'before')
  return { browser, tokens, connection: await openMcpSession(second, tokens) }
}
