/** Where clients look for metadata: the right places, and those that older ones guess. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

const RESOURCE = '/.well-known/oauth-protected-resource'
const SERVER = '/.well-known/oauth-authorization-server'

let app: TestApp
beforeAll(async () => {
  app = await startApp({ env: { MCP_AUTH: 'required' } })
})
afterAll(() => app.stop())

const send = (path: string, method = 'GET', headers = {}) =>
  fetch(app.url + path, { method, headers: { accept: '*/*', ...headers } })

test.each([RESOURCE, `${RESOURCE}/mcp`, `${RESOURCE}/http`, `${RESOURCE}/sse`, SERVER])(
  '%s answers GET, HEAD and pages of other origins',
  async (path) => {
    const origin = 'https://inspector.example'
    const got = await send(path, 'GET', { origin, 'mcp-protocol-version': '2025-11-25' })
    expect(got.status).toBe(200)
    expect(got.headers.get('content-type')).toMatch(/^application\/json/)
    expect(got.headers.get('access-control-allow-origin')).toBe('*')
    expect(await got.json()).toHaveProperty('scopes_supported')
    const head = await send(path, 'HEAD')
    expect([head.status, await head.text()]).toEqual([200, ''])
    const preflight = await send(path, 'OPTIONS', {
      origin,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'mcp-protocol-version',
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/mcp-protocol-version/i)
  },
)

test.each([
  '/.well-known/openid-configuration',
  '/.well-known/openid-configuration/mcp',
  `${RESOURCE}/other`,
  // The issuer has no path: its metadata would not be that of this address (RFC 8414, 3.3).
  `${SERVER}/mcp`,
  `${SERVER}/sse`,
])('%s is 404 in JSON', async (path) => {
  const response = await send(path, 'GET', { origin: 'https://inspector.example' })
  expect(response.status).toBe(404)
  expect(response.headers.get('content-type')).toMatch(/^application\/json/)
  expect(await response.json()).toHaveProperty('error')
  // Without CORS, a page could not distinguish a 404 from an unavailable server.
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
})

test.each([
  '/mcp/.well-known/openid-configuration',
  '/mcp/.well-known/oauth-authorization-server',
  '/mcp/.well-known/oauth-protected-resource',
])('%s is not treated as the protocol', async (path) => {
  const response = await send(path)
  expect(response.status).toBe(404)
  expect(response.headers.get('content-type')).toMatch(/^application\/json/)
})
