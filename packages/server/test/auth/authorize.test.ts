/** `/authorize` and the consent page. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBrowser } from '../../src/testing/form-browser.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createOAuthClient, type Params, REDIRECT_URI } from '../support/oauth-client.ts'
import { expectPageParts } from '../support/page-parts.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp({ env: { RATE_LIMIT: 'off' } })
})
afterAll(() => app.stop())

/** Where the browser ends that was not asked anything. */
async function refused(params: Params) {
  const client = await createOAuthClient(app.url)
  const { page } = await client.ask(params)
  return page
}

describe('a client that asks wrongly', () => {
  test.each([
    ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['no PKCE method', { code_challenge_method: undefined }, 'invalid_request'],
    ['a token instead of a code', { response_type: 'token' }, 'unsupported_response_type'],
    ['an ID token', { response_type: 'id_token' }, 'unsupported_response_type'],
    ['an unknown resource', { resource: 'https://elsewhere.example/mcp' }, 'invalid_target'],
    ['unknown scopes alone', { scope: 'admin root' }, 'invalid_scope'],
    ['no interaction', { prompt: 'none' }, 'login_required'],
    ['a request object', { request: 'e.e.e' }, 'request_not_supported'],
  ])('for %s redirects with the error', async (_what, params, error) => {
    const { url } = await refused(params)
    expect(url.href.startsWith(REDIRECT_URI)).toBe(true)
    // What is answered with tokens is refused in the fragment (OAuth 2.0 Multiple Response Types).
    const answer = new URLSearchParams(url.search || url.hash.slice(1))
    expect(answer.get('error')).toBe(error)
    expect(answer.get('iss')).toBe(app.url)
    expect(answer.has('code')).toBe(false)
  })

  test.each([
    ['an unknown client', { client_id: 'nobody' }, 'invalid_client'],
    ['no client', { client_id: undefined }, 'invalid_request'],
    ['another redirect URI', { redirect_uri: 'https://evil.example/' }, 'invalid_redirect_uri'],
    ['another path', { redirect_uri: `${REDIRECT_URI}/../evil` }, 'invalid_redirect_uri'],
    ['another loopback name', { redirect_uri: REDIRECT_URI.replace('127.0.0.1', 'localhost') }, ''],
    ['no redirect URI', { redirect_uri: undefined }, 'invalid_request'],
    ['a page that posts', { response_mode: 'form_post' }, 'unsupported_response_mode'],
    ['a fragment', { response_mode: 'fragment' }, 'unsupported_response_mode'],
    ['two redirect URIs', { redirect_uri: [REDIRECT_URI, 'https://evil.example/'] }, ''],
  ])('with %s is sent nowhere', async (_what, params, error) => {
    const { url, status, text, headers } = await refused(params)
    expect([url.pathname, status]).toEqual(['/authorize', 400])
    expect(text).toContain(error)
    expect(text).toContain('>MCP Template</header>')
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('cache-control')).toBe('no-store')
  })
})

test.each([
  ['GET', '/token', 405, 'POST'],
  ['POST', '/authorize', 405, 'GET'],
  ['PUT', '/register', 405, 'POST'],
  ['GET', '/token/x', 404, null],
  ['POST', '/authorize/a/b', 404, null],
])("%s %s is %i, in OAuth's words", async (method, path, status, allow) => {
  const response = await fetch(app.url + path, { method })
  expect([response.status, response.headers.get('allow')]).toEqual([status, allow])
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(await response.json()).toEqual({
    error: 'invalid_request',
    error_description: expect.stringMatching(/\w/),
  })
})

describe('scopes', () => {
  test.each([
    [undefined, 'mcp service:read'],
    ['mcp', 'mcp'],
    ['service:read mcp service:read', 'mcp service:read'],
    ['openid profile email offline_access', 'mcp service:read'],
    ['openid mcp unheard-of', 'mcp'],
  ])('%s gives %s', async (scope, granted) => {
    const client = await createOAuthClient(app.url)
    const tokens = await client.connect({ scope, prompt: 'consent' })
    expect(tokens.scope.split(' ').sort()).toEqual(granted.split(' ').sort())
    expect(tokens).not.toHaveProperty('id_token')
  })
})

describe('the consent page', () => {
  test('names the client, the scopes and the redirect target, without script and frames', async () => {
    const metadata = {
      client_name: '<b>Evil</b>',
      redirect_uris: ['https://client.example/callback'],
    }
    const client = await createOAuthClient(app.url, { metadata })
    const { page } = await client.ask({ scope: 'mcp' })
    expect(page.status).toBe(200)
    expect(page.text).toContain('&lt;b&gt;Evil&lt;/b&gt;')
    expect(page.text).toContain('client.example')
    expect(page.text).not.toContain('service:read')
    expect(page.text).not.toContain('<script')
    const policy = page.headers.get('content-security-policy')
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('form-action')
    expect(page.headers.get('cache-control')).toBe('no-store')
  })

  test('has a title, a heading, its buttons, and scopes in words', async () => {
    const client = await createOAuthClient(app.url, { metadata: { client_name: 'Acme Assistant' } })
    const { page } = await client.ask()
    const heading = 'Authorize Acme Assistant?'
    expectPageParts(page, { heading, buttons: ['Allow', 'Deny'] })
    expect(page.text).toContain(
      '<dt>Identity</dt><dd><span class="tag warn">Not verified</span></dd>',
    )
    expect(page.text).toMatch(/<li>Use the tools of this server[^<]* <code>mcp<\/code><\/li>/)
  })

  test('of an invalid request is a page that names the error', async () => {
    const page = await createBrowser().open(`${app.url}/authorize?client_id=nobody`)
    expectPageParts(page, { heading: 'Authorization failed', buttons: [] })
    expect(page.text).toContain('Error code: <code>invalid_client</code>')
    // Clients keep a registration that was deleted: the person has to remove it.
    expect(page.text).toContain('clear the authentication of this server')
  })

  test('with a too long query is a page in a browser, and OAuth JSON otherwise', async () => {
    const url = `${app.url}/authorize?x=${'x'.repeat(3000)}`
    const shown = await fetch(url, { headers: { accept: 'text/html' } })
    const page = { text: await shown.text(), headers: shown.headers }
    expect(shown.status).toBe(414)
    expectPageParts(page, { heading: 'Something went wrong', buttons: [] })
    expect(await (await fetch(url)).json()).toMatchObject({ error: 'invalid_request' })
  })

  test('warns of apps on this computer', async () => {
    const metadata = { redirect_uris: ['cursor://anysphere.cursor-mcp/callback'] }
    const client = await createOAuthClient(app.url, { metadata })
    const { page } = await client.ask()
    expect(page.text).toContain('an app on this computer (cursor:)')
    expect(page.text).toContain('Nobody has verified it')
  })

  test('that is denied redirects the client with an error, once', async () => {
    const client = await createOAuthClient(app.url)
    const { page, browser, state, decide } = await client.ask()
    const { url } = await decide('deny')
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      error: 'access_denied',
      state,
      iss: app.url,
    })
    expect((await browser.open(page.url)).status).toBe(410)
  })

  test('is gone for another browser, and cannot be answered there', async () => {
    const client = await createOAuthClient(app.url)
    const { page } = await client.ask()
    const stranger = createBrowser()
    expect((await stranger.open(page.url)).status).toBe(410)
    expect((await stranger.open(page.url, { decision: 'allow' })).status).toBe(410)
  })

  test('of one authorization does not answer another of the same browser', async () => {
    const client = await createOAuthClient(app.url)
    const one = await client.ask()
    const cookie = one.browser.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
    const other = await client.ask()
    const response = await fetch(other.page.url, { headers: { cookie } })
    expect(response.status).toBe(410)
  })

  test.each([
    ['sec-fetch-site', 'cross-site'],
    ['sec-fetch-site', 'same-site'],
    ['origin', 'https://evil.example'],
    ['origin', 'http://localhost:1'],
    ['origin', 'null'],
  ])('takes no answer from elsewhere (%s: %s)', async (name, value) => {
    const client = await createOAuthClient(app.url)
    const { page, browser } = await client.ask()
    const cookie = browser.cookies.map((each) => `${each.name}=${each.value}`).join('; ')
    const body = new URLSearchParams({ decision: 'allow' })
    const headers = { cookie, [name]: value }
    const response = await fetch(page.url, { method: 'POST', body, headers, redirect: 'manual' })
    expect(response.status).toBe(403)
  })

  test.each([[{}], [{ decision: 'maybe' }]])('treats %o as no answer', async (form) => {
    const client = await createOAuthClient(app.url)
    const { page, browser } = await client.ask()
    expect((await browser.open(page.url, form)).status).toBe(400)
  })

  test.each([
    ['text/plain', 'decision=allow', 415],
    ['', 'decision=allow', 415],
    ['application/x-www-form-urlencoded', 'decision=deny&decision=allow', 400],
  ])('takes no answer sent as "%s": %s', async (type, body, expected) => {
    const client = await createOAuthClient(app.url)
    const { page, browser } = await client.ask()
    const cookie = browser.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
    const headers = { cookie, ...(type !== '' && { 'content-type': type }) }
    const bytes = new TextEncoder().encode(body)
    const init: RequestInit = { method: 'POST', headers, body: bytes, redirect: 'manual' }
    const refused = await fetch(page.url, init)
    expect(refused.status).toBe(expected)
    expect(refused.headers.get('content-type')).toContain('text/html')
    expect((await browser.open(page.url)).text).toMatch(/<h1>Authorize [^<]+\?<\/h1>/)
  })
})

test('a browser that let one client in is asked again, for every client and session', async () => {
  const client = await createOAuthClient(app.url)
  const { browser } = await client.authorize()
  const { url } = client.request()
  const page = await browser.open(url)
  expect(page.text).toMatch(/<h1>Authorize [^<]+\?<\/h1>/)
  expect(browser.cookies.map(({ name }) => name)).not.toContain('oauth_session')
})

test('nothing of it is in the log', async () => {
  const client = await createOAuthClient(app.url)
  const authorization = await client.authorize()
  const { body } = await client.exchange(authorization)
  await client.exchange(authorization)
  await client.refresh('no such token')
  const log = app.lines.join()
  const secrets = [
    authorization.code,
    authorization.verifier,
    body.access_token,
    body.refresh_token,
  ]
  for (const secret of secrets) expect(log).not.toContain(secret)
  for (const { value } of authorization.browser.cookies) expect(log).not.toContain(value)
  expect(log).toContain('invalid_grant')
})
