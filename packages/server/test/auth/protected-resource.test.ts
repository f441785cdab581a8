/** Metadata of the protected resources (RFC 9728), and plain 404 responses elsewhere. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { startTokenApp } from '../support/token-app.ts'

const WELL_KNOWN = '/.well-known/oauth-protected-resource'

let app: TestApp
beforeAll(async () => {
  app = await startApp({ env: { MCP_AUTH: 'required', APP_NAME: 'Bank' } })
})
afterAll(() => app.stop())

describe('the metadata', () => {
  test.each([
    ['', '/mcp'],
    ['/mcp', '/mcp'],
    ['/http', '/http'],
    ['/sse', '/sse'],
  ])('at %s describes %s', async (path, resource) => {
    const response = await fetch(app.url + WELL_KNOWN + path)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toContain('application/json')
    expect(response.headers.get('cache-control')).toContain('max-age')
    expect(await response.json()).toEqual({
      resource: app.url + resource,
      authorization_servers: [app.url],
      scopes_supported: ['mcp', 'service:read'],
      bearer_methods_supported: ['header'],
      resource_name: 'Bank',
    })
  })

  test('names the external issuer, exactly as it was configured', async () => {
    const own = await startTokenApp()
    const metadata = (await (await fetch(own.url + WELL_KNOWN)).json()) as object
    expect(metadata).toMatchObject({ authorization_servers: [own.issuer.url] })
    await own.stop()
  })

  test('does not depend on the host in the request', async () => {
    const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'ftp' }
    const metadata = await (await fetch(app.url + WELL_KNOWN, { headers })).json()
    expect(metadata).toMatchObject({ resource: `${app.url}/mcp` })
  })

  test('may be read by any page', async () => {
    const headers = { origin: 'https://inspector.example' }
    const response = await fetch(app.url + WELL_KNOWN, { headers })
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([
      200,
      '*',
    ])
    const preflight = await fetch(app.url + WELL_KNOWN, {
      method: 'OPTIONS',
      headers: {
        ...headers,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'mcp-protocol-version',
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toContain('mcp-protocol-version')
  })
})

test.each([
  '/mcp/.well-known/oauth-protected-resource',
  '/mcp/.well-known/oauth-authorization-server',
  '/mcp/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server/mcp',
  '/.well-known/openid-configuration',
  '/.well-known/openid-configuration/mcp',
  `${WELL_KNOWN}/messages`,
  `${WELL_KNOWN}/mcp//`,
  `${WELL_KNOWN}/nothing`,
])('%s is not found', async (path) => {
  const response = await fetch(app.url + path)
  expect(response.status).toBe(404)
  expect(response.headers.get('www-authenticate')).toBeNull()
  // The endpoints of the authorization server use the errors of OAuth.
  const ofAuthorization = path.startsWith('/.well-known/oauth-authorization-server/')
  const error = ofAuthorization ? 'invalid_request' : { data: { code: 'not_found' } }
  expect(await response.json()).toMatchObject({ error })
})
