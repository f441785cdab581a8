/**
 * A script that authorizes its own client without a sign-in: with `MCP_AUTH=required` and an
 * upstream it gets neither code nor token.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Browser, createBrowser } from '../../src/testing/form-browser.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createOAuthClient, createPkce, postForm, register } from '../support/oauth-client.ts'
import { recordingStore } from '../support/recording-store.ts'
import { postModern, read } from '../support/wire.ts'
import { type FakeProvider, startProvider } from '../upstream/fake-provider.ts'

const { store, written } = recordingStore()
let provider: FakeProvider
let app: TestApp
beforeAll(async () => {
  provider = await startProvider({ outlivesTest: true })
  const env = {
    MCP_AUTH: 'required',
    RATE_LIMIT: 'off',
    UPSTREAM_ISSUER: provider.origin,
    UPSTREAM_CLIENT_ID: 'client-1',
    UPSTREAM_API_URL: `${provider.origin}/api`,
  }
  app = await startApp({ env, store })
})
afterAll(() => Promise.all([app.stop(), provider.close()]))

const cookiesOf = (browser: Browser) =>
  browser.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')

/** Sends a request with the cookies of a browser; does not follow redirects. */
function send(url: URL | string, browser: Browser, form?: Record<string, string>) {
  return fetch(url, {
    redirect: 'manual',
    headers: { cookie: cookiesOf(browser), accept: 'text/html' },
    ...(form && { method: 'POST', body: new URLSearchParams(form) }),
  })
}

/** Expects neither a code in a URL nor a token in a body. */
async function expectNothing(answer: Response): Promise<void> {
  expect(answer.headers.get('location') ?? '').not.toMatch(/[?&#](code|access_token)=/)
  expect(await answer.text()).not.toContain('access_token')
}

test('registering, opening the page and pressing its button leads to the sign-in', async () => {
  const client = await createOAuthClient(app.url)
  const { page, browser } = await client.openConsent()
  const approved = await send(page.url, browser, { decision: 'allow' })
  const to = new URL(approved.headers.get('location') ?? '')
  expect([approved.status, to.origin, to.pathname]).toEqual([303, provider.origin, '/authorize'])
})

describe('after the button was pressed', () => {
  async function approved() {
    const client = await createOAuthClient(app.url)
    const asked = await client.openConsent()
    const answer = await send(asked.page.url, asked.browser, { decision: 'allow' })
    for (const header of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = (header.split(';')[0] ?? '').split(/=(.*)/s)
      asked.browser.cookies.push({ name, value, path: '/', host: 'localhost' })
    }
    const left = new URL(answer.headers.get('location') ?? '')
    return { ...asked, client, left, state: left.searchParams.get('state') ?? '' }
  }

  test.each([1, 2, 20])('submitting it %i times more returns no code', async (times) => {
    const { page, browser } = await approved()
    for (let turn = 0; turn < times; turn += 1) {
      const answer = await send(page.url, browser, { decision: 'allow' })
      expect(new URL(answer.headers.get('location') ?? '').origin).toBe(provider.origin)
      await expectNothing(answer)
    }
  })

  test.each(['', '?sign_in=ok', '?sign_in=signed_in', '?sign_in=done&code=x'])(
    'the page requires the sign-in, whatever its query: %s',
    async (search) => {
      const { page, browser } = await approved()
      const answer = await send(page.url.href + search, browser)
      expect(answer.status).toBeLessThan(600)
      expect(await answer.text()).toContain('once you have signed in')
    },
  )

  test('resuming the authorization without the page requires the sign-in again', async () => {
    const { page, browser } = await approved()
    const uid = page.url.pathname.split('/').at(-1) ?? ''
    const answer = await send(`${app.url}/authorize/${uid}`, browser)
    expect(answer.headers.get('location') ?? '').not.toContain('code=')
    await expectNothing(answer)
  })

  test.each([
    (state: string) => `code=made-up&state=${state}`,
    (state: string) => `error=access_denied&state=${state}`,
    () => 'code=made-up&state=made-up',
    () => '',
  ])('a forged callback from the provider signs nobody in', async (query) => {
    const { page, browser, state } = await approved()
    provider.paths['/token'] = (res) => {
      res.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}')
    }
    await expectNothing(await send(`${app.url}/callback?${query(state)}`, browser))
    const answer = await send(page.url, browser)
    expect(await answer.text()).toContain('once you have signed in')
  })

  test('the page of one authorization does not continue with the cookies of another', async () => {
    const one = await approved()
    const other = await approved()
    const answer = await send(one.page.url, other.browser, { decision: 'allow' })
    expect(answer.status).toBe(410)
  })

  test('the store has no grant and no code', async () => {
    await approved()
    const keys = written.map(({ key }) => key)
    expect(keys.filter((key) => /oauth:(Grant|AuthorizationCode|AccessToken)/.test(key))).toEqual(
      [],
    )
  })
})

describe('without the page', () => {
  test.each([
    ['prompt=none', { prompt: 'none' }],
    ['a hint', { login_hint: 'ada', id_token_hint: 'e30.e30.e30' }],
    ['max_age=0', { max_age: '0' }],
    ['a token at once', { response_type: 'token' }],
    ['code and token', { response_type: 'code token' }],
    ['a request object', { request: 'e30.e30.e30' }],
  ])('%s returns no code', async (_how, params) => {
    const client = await createOAuthClient(app.url)
    const { url } = client.request(params)
    await expectNothing(await send(url, createBrowser()))
  })

  test('a form that was never shown is refused', async () => {
    const client = await createOAuthClient(app.url)
    const { page } = await client.openConsent()
    const answer = await send(page.url, createBrowser(), { decision: 'allow' })
    expect(answer.status).toBe(410)
    await expectNothing(answer)
  })
})

describe('/token', () => {
  test.each([
    ['client_credentials', {}],
    ['password', { username: 'ada', password: 'ada' }],
    ['authorization_code', { code: 'made-up', code_verifier: 'v'.repeat(43) }],
    ['refresh_token', { refresh_token: 'made-up' }],
    ['urn:ietf:params:oauth:grant-type:jwt-bearer', { assertion: 'e30.e30.e30' }],
    ['urn:ietf:params:oauth:grant-type:device_code', { device_code: 'made-up' }],
    ['urn:ietf:params:oauth:grant-type:token-exchange', { subject_token: 'made-up' }],
    ['implicit', {}],
  ])('returns no token for %s, not even to a client with a secret', async (grantType, params) => {
    const grants = ['authorization_code', 'refresh_token', grantType]
    const metadata = { grant_types: grants, token_endpoint_auth_method: 'client_secret_post' }
    const { body } = await register(app.url, metadata)
    const { client_id, client_secret } = body as Record<string, string>
    const client = { client_id, client_secret, grant_type: grantType, scope: 'mcp service:read' }
    const answer = await postForm(`${app.url}/token`, { ...client, ...params })
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.body).not.toHaveProperty('access_token')
  })
})

test.each(['/mcp', '/http', '/sse', '/messages?session_id=x'])(
  '%s serves nobody without a token',
  async (path) => {
    const method = path === '/sse' ? 'GET' : 'POST'
    const answer = await fetch(app.url + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(method === 'POST' && { body: '{}' }),
    })
    expect(answer.status).toBe(401)
  },
)

test('a token signed with another secret is refused', async () => {
  const { challenge } = createPkce()
  const headers = { authorization: `Bearer e30.e30.${challenge}` }
  const { status } = await read(postModern(app.url, 'tools/list', {}, { headers }))
  expect(status).toBe(401)
})
