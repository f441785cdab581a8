/**
 * The doctor's OAuth client, without a library, since it also sends requests that must be refused.
 */

import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type Browser, createBrowser, type Page } from '../../server/src/testing/form-browser.ts'
import { type Answer, ask, objectIn, postJson } from './http.ts'
import { fetchWithinReach } from './reach.ts'
import type { RegisteredClient, ServerMetadata, Visit } from './visit.ts'

/** The name on the consent page. */
const CLIENT_NAME = 'MCP Template doctor'

/** Nothing listens there: the browser stops before it requests it. */
export const REDIRECT_URI = 'http://127.0.0.1:33419/callback'

/** Does not wait for a longer `Retry-After`. */
const LONGEST_WAIT_SECONDS = 65

/**
 * Registers a client (RFC 7591), a public one unless `changed` says otherwise. Retries once after
 * `Retry-After`.
 */
export async function register(
  { say }: Visit,
  server: ServerMetadata,
  redirectUris: readonly string[],
  changed: Readonly<Record<string, unknown>> = {},
): Promise<Answer> {
  const metadata = {
    client_name: CLIENT_NAME,
    redirect_uris: redirectUris,
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    ...changed,
  }
  const send = () => postJson(server.registration_endpoint ?? '', metadata)
  const answer = await send()
  const seconds = Number(answer.headers.get('retry-after'))
  if (answer.status !== 429 || !(seconds > 0 && seconds <= LONGEST_WAIT_SECONDS)) return answer
  say(`The server accepts no more registrations for ${seconds} s; waiting.`)
  await delay(seconds * 1000)
  return send()
}

export interface Authorization {
  readonly url: URL
  readonly verifier: string
  readonly state: string
}

/** The authorization URL; `undefined` omits a parameter. */
export function authorizeUrl(
  { base }: Visit,
  server: ServerMetadata,
  client: RegisteredClient,
  changed: Readonly<Record<string, string | undefined>> = {},
): Authorization {
  const [verifier, state] = [random(), random()]
  const params = {
    response_type: 'code',
    client_id: client.id,
    redirect_uri: client.redirectUri,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    resource: `${base}/mcp`,
    state,
    ...changed,
  }
  const url = new URL(server.authorization_endpoint ?? '')
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  return { url, verifier, state }
}

/** The outcome of an authorization request. */
export type Led =
  | { readonly to: 'person'; readonly browser: Browser; readonly page: Page }
  | { readonly to: 'client'; readonly answer: URLSearchParams; readonly page: Page }
  | { readonly to: 'error'; readonly page: Page }

/** Opens the URL in a new browser, up to a page for the user or the redirect to the client. */
export async function open({ url }: Authorization, redirectUri: string): Promise<Led> {
  const browser = createBrowser(redirectUri, fetchWithinReach(url))
  return ledTo(await browser.open(url), browser, redirectUri)
}

/** Classifies the page that was reached. */
export function ledTo(page: Page, browser: Browser, redirectUri: string): Led {
  if (page.url.href.startsWith(redirectUri)) {
    return { to: 'client', answer: page.url.searchParams, page }
  }
  if (page.status !== 200) return { to: 'error', page }
  return { to: 'person', browser, page }
}

/** Grants consent. */
export async function allow(led: Led, redirectUri: string): Promise<Led> {
  if (led.to !== 'person') return led
  const page = await led.browser.open(led.page.url, { decision: 'allow' })
  return ledTo(page, led.browser, redirectUri)
}

/** Sends a request to the token endpoint. */
export function token(
  server: ServerMetadata,
  client: RegisteredClient,
  params: Readonly<Record<string, string>>,
): Promise<Answer> {
  return postForm(server.token_endpoint, { client_id: client.id, ...params })
}

/** Exchanges a code (RFC 6749, 4.1.3). */
export function exchange(
  server: ServerMetadata,
  client: RegisteredClient,
  { code, verifier }: { readonly code: string; readonly verifier: string },
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return token(server, client, {
    ...more,
    grant_type: 'authorization_code',
    redirect_uri: client.redirectUri,
    code,
    code_verifier: verifier,
  })
}

/** RFC 6749, 6. */
export function refresh(
  server: ServerMetadata,
  client: RegisteredClient,
  refreshToken: string,
): Promise<Answer> {
  return token(server, client, { grant_type: 'refresh_token', refresh_token: refreshToken })
}

export function postForm(
  url: string | undefined,
  params: Readonly<Record<string, string>>,
): Promise<Answer> {
  return ask(url ?? '', { method: 'POST', body: new URLSearchParams(params) })
}

/** The OAuth error as text: `400 invalid_grant`. */
export function failureIn(answer: Answer): string {
  const { error, error_description: description } = objectIn(answer)
  const said = [error, description].filter((each) => typeof each === 'string').join(': ')
  return said === '' ? `${answer.status}` : `${answer.status} ${said}`
}

function random(): string {
  return randomBytes(32).toString('base64url')
}
