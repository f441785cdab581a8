/** `PUBLIC_URL` below a path: documents, redirects, cookies and links have it; a proxy may remove it. */

import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HttpEnv } from '../../src/http/http-env.ts'
import { browserCookie, knownBrowser } from '../../src/http/pages/browser-cookie.ts'
import { createBrowser } from '../../src/testing/form-browser.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { authorize, openMcpSession, personsBrowser, signIn } from '../support/authorize-again.ts'
import { freePort } from '../support/free-port.ts'
import { claimsOf, createOAuthClient, REDIRECT_URI } from '../support/oauth-client.ts'
import { openSse, sendSse } from '../support/sse.ts'
import { withToken } from '../support/token-app.ts'
import { request } from '../support/wire.ts'

const BASE = '/team/mcp-server'
const RESOURCE = '/.well-known/oauth-protected-resource'
const SERVER = '/.well-known/oauth-authorization-server'

async function startBelow(env: Readonly<Record<string, string>> = {}): Promise<TestApp> {
  const port = String(await freePort())
  const PUBLIC_URL = `http://localhost:${port}${BASE}/`
  return startApp({ env: { MASK_MCP_PORT: port, PUBLIC_URL, RATE_LIMIT: 'off', ...env } })
}

let app: TestApp
let origin: string
beforeAll(async () => {
  app = await startBelow({ MCP_AUTH: 'required', LOGIN: 'on-demand' })
  origin = new URL(app.url).origin
})
afterAll(() => app.stop())

describe('documents', () => {
  test.each([
    `${RESOURCE}${BASE}/mcp`,
    `${RESOURCE}${BASE}/mcp/`,
    `${RESOURCE}${BASE}/sse`,
    `${RESOURCE}${BASE}/http`,
  ])('%s names the resource and the issuer', async (path) => {
    const response = await fetch(origin + path)
    const resource = app.url + path.slice(`${RESOURCE}${BASE}`.length)
    expect(await response.json()).toMatchObject({ resource, authorization_servers: [app.url] })
  })

  test.each([`${SERVER}${BASE}`, `${BASE}${SERVER}`])('%s names the endpoints', async (path) => {
    const document = (await (await fetch(origin + path)).json()) as Record<string, unknown>
    expect(document).toMatchObject({
      issuer: app.url,
      authorization_endpoint: `${app.url}/authorize`,
      token_endpoint: `${app.url}/token`,
      registration_endpoint: `${app.url}/register`,
      revocation_endpoint: `${app.url}/revoke`,
      jwks_uri: `${app.url}/jwks`,
    })
  })

  test('the challenge names the URL with the inserted well-known path', async () => {
    const { headers, status } = await fetch(`${app.url}/mcp`)
    expect(status).toBe(401)
    const metadataUrl = `${origin}${RESOURCE}${BASE}/mcp`
    expect(headers.get('www-authenticate')).toContain(`resource_metadata="${metadataUrl}"`)
  })
})

test('a client is authorized and signs in; cookies and links stay below the path', async () => {
  const client = await createOAuthClient(app.url)
  const browser = personsBrowser()
  const tokens = await authorize(client, browser)
  expect(claimsOf(tokens.access_token)).toMatchObject({ iss: app.url, aud: `${app.url}/mcp` })
  expect(await openMcpSession(app.url, tokens)).toMatch(/^con_/)
  await signIn(app.url, tokens, browser)
  const paths = browser.cookies.map(({ path }) => path)
  expect(paths.length).toBeGreaterThan(0)
  expect(paths.every((path) => path.startsWith(BASE))).toBe(true)
  const refreshed = await client.refresh(tokens.refresh_token)
  expect(refreshed).toMatchObject({ status: 200 })
})

test('with LOGIN=at-authorize the provider sends the browser back below the path', async () => {
  const other = await startBelow({ LOGIN: 'at-authorize', MCP_AUTH: 'required' })
  const client = await createOAuthClient(other.url)
  const tokens = await authorize(client, createBrowser(REDIRECT_URI))
  expect(await openMcpSession(other.url, tokens)).toMatch(/^con_/)
  await other.stop()
})

test('the endpoint of /sse is below the path', async () => {
  const tokens = await authorize(await createOAuthClient(app.url), personsBrowser())
  const headers = withToken(tokens.access_token)
  const stream = await openSse(app.url, undefined, headers)
  const { data } = await stream.until(({ event }) => event === 'endpoint')
  expect(data.startsWith(`${BASE}/messages?`)).toBe(true)
  expect((await sendSse(origin, data, request('ping'), headers)).status).toBe(202)
  stream.close()
})

test('a proxy may remove the path', async () => {
  expect((await fetch(`${origin}/livez`)).status).toBe(200)
  expect((await fetch(`${app.url}/livez`)).status).toBe(200)
  const { headers } = await fetch(`${origin}/mcp`)
  expect(headers.get('www-authenticate')).toContain(`${RESOURCE}${BASE}/mcp`)
  const document = await (await fetch(origin + SERVER)).json()
  expect(document).toMatchObject({ token_endpoint: `${app.url}/token` })
})

test.each([`${BASE}x/mcp`, `${BASE}${BASE}/mcp`, `${BASE}/nothing`, `/other${BASE}/mcp`])(
  '%s is not found',
  async (path) => {
    expect((await fetch(origin + path)).status).toBe(404)
  },
)

test('with https the cookie is restricted to https and the path', async () => {
  const routes = new Hono<HttpEnv>()
  const options = { secure: true, basePath: BASE, maxAgeSeconds: 60 }
  routes.get('/', (c) => c.text(knownBrowser(c, true, BASE) ?? browserCookie(c, options)))
  const first = await routes.request('/')
  const [cookie = ''] = first.headers.getSetCookie()
  expect(cookie).toMatch(/^__Secure-mcp-browser=[\w-]{43}; /)
  expect(cookie).toContain(`Path=${BASE};`)
  expect(cookie).toMatch(/; Secure/)
  const headers = { cookie: cookie.split(';')[0] ?? '' }
  expect(await (await routes.request('/', { headers })).text()).toBe(await first.text())
})
