/**
 * `/authorize` as an open redirector (RFC 9700, section 4.11.2): errors are redirected to websites
 * only after somebody has authorized the client, or pressed a button.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import {
  createOAuthClient,
  type OAuthClient,
  type Params,
  REDIRECT_URI,
} from '../support/oauth-client.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { describeRedis } from '../support/redis-suite.ts'

const EVIL = 'https://evil.example/callback'
const onTheWeb = { metadata: { redirect_uris: [EVIL] } }

const FAILING: readonly (readonly [string, Params])[] = [
  ['scopes that do not exist', { scope: 'no-such-scope' }],
  ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }],
  ['plain PKCE', { code_challenge_method: 'plain' }],
  ['prompt=none', { prompt: 'none' }],
  ['an unknown prompt', { prompt: 'evil' }],
  ['a token at once', { response_type: 'token' }],
  ['an unknown response type', { response_type: 'evil' }],
  ['no response type', { response_type: undefined }],
  ['an unknown resource', { resource: 'https://elsewhere.example/' }],
  ['a request object', { request: 'e30.e30.e30' }],
  ['a registration', { registration: '{}' }],
  ['an invalid max_age', { max_age: '-1' }],
  ['an ID token hint', { id_token_hint: 'e30.e30.e30' }],
  ['another response mode', { response_mode: 'fragment' }],
  ['a page that posts', { response_mode: 'form_post' }],
]

/** Opens the authorization URL as from a phishing link; does not follow redirects. */
async function follow(url: string, client: OAuthClient, params: Params) {
  const { search } = client.request(params).url
  const answer = await fetch(`${url}/authorize${search}`, { redirect: 'manual' })
  return { answer, location: answer.headers.get('location'), text: await answer.text() }
}

describeRedis('plain', 'on three nodes', () => {
  let cluster: OAuthNodes
  beforeAll(async () => {
    cluster = await startOAuthNodes()
  })
  afterAll(() => cluster?.stop())

  test.each(FAILING)('a link with %s shows a page of this server', async (_what, params) => {
    const client = await cluster.client(onTheWeb)
    for (const url of cluster.urls) {
      const { answer, location, text } = await follow(url, client, params)
      expect([answer.status, location]).toEqual([400, null])
      expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(text).not.toContain('evil.example')
    }
  })

  test('after somebody authorized the client at one node, every node redirects to it', async () => {
    const client = await cluster.client(onTheWeb)
    await client.authorize()
    for (const url of cluster.urls) {
      const { location } = await follow(url, client, { scope: 'no-such-scope' })
      expect(new URL(location ?? '').searchParams.get('error')).toBe('invalid_scope')
    }
  })
})

describe('on one node', () => {
  const start = (env: Record<string, string> = {}) =>
    startApp({ env: { RATE_LIMIT: 'off', ...env } })

  test('opening the page of a client, and denying it, does not authorize it', async () => {
    const app = await start()
    const client = await createOAuthClient(app.url, onTheWeb)
    const asked = await client.openConsent()
    const { url } = await asked.decide('deny')
    // A person pressed a button that names its target.
    expect(url.searchParams.get('error')).toBe('access_denied')
    expect((await follow(app.url, client, { prompt: 'none' })).location).toBeNull()
    await app.stop()
  })

  test('allowing it without signing in does not authorize it either', async () => {
    const app = await start({ LOGIN: 'at-authorize' })
    const client = await createOAuthClient(app.url, onTheWeb)
    const { decide } = await client.openConsent()
    expect((await decide('allow')).text).toContain('Who are you?')
    expect((await follow(app.url, client, { prompt: 'none' })).location).toBeNull()
    await app.stop()
  })

  test('an authorized client does not permit redirects of another', async () => {
    const app = await start()
    const known = await createOAuthClient(app.url, onTheWeb)
    await known.authorize()
    const other = await createOAuthClient(app.url, onTheWeb)
    expect((await follow(app.url, other, { prompt: 'none' })).location).toBeNull()
    await app.stop()
  })

  test('a pre-registered client gets the error by redirect at once', async () => {
    const known = { client_id: 'reports', redirect_uris: [EVIL] }
    const app = await start({ OAUTH_CLIENTS: JSON.stringify([known]) })
    const client = await createOAuthClient(app.url, { ...onTheWeb, known })
    const { location } = await follow(app.url, client, { prompt: 'none' })
    expect(new URL(location ?? '').searchParams.get('error')).toBe('login_required')
    await app.stop()
  })

  test('an app on the user’s own machine gets the error by redirect at once', async () => {
    const app = await start()
    for (const uri of [REDIRECT_URI, 'cursor://anysphere.cursor-mcp/callback']) {
      const client = await createOAuthClient(app.url, { metadata: { redirect_uris: [uri] } })
      const { location } = await follow(app.url, client, { prompt: 'none' })
      expect(location).toContain(uri)
      expect(location).toContain('error=login_required')
    }
    await app.stop()
  })
})
