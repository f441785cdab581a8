/** Metadata of the authorization server (RFC 8414), for programs and for pages. */

import { request } from 'node:http'
import { expect, test } from 'vitest'
import { postForm, register } from '../support/oauth-client.ts'
import { start } from './authorization-apps.ts'

const METADATA = '/.well-known/oauth-authorization-server'
const METHODS = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt']
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519']

test('its metadata is OAuth, and nothing else', async () => {
  const app = await start()
  const { url } = app
  expect(await (await fetch(url + METADATA)).json()).toEqual({
    issuer: url,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    registration_endpoint: `${url}/register`,
    revocation_endpoint: `${url}/revoke`,
    introspection_endpoint: `${url}/introspect`,
    jwks_uri: `${url}/jwks`,
    scopes_supported: ['mcp', 'service:read'],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: METHODS,
    token_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
    revocation_endpoint_auth_methods_supported: METHODS,
    revocation_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
    introspection_endpoint_auth_methods_supported: METHODS,
    introspection_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
  })
  expect(await (await fetch(`${url}/jwks`)).json()).toEqual({ keys: [] })
})

test.each([
  ['/.well-known/openid-configuration', 404, undefined],
  ['/userinfo', 404, undefined],
  ['/me', 404, undefined],
  ['/request', 404, undefined],
  ['/session/end', 404, undefined],
  ['/register/cli_x', 404, undefined],
  ['/authorize/a/b', 404, undefined],
  ['/token', 405, 'POST'],
  ['/register', 405, 'POST'],
  ['/revoke', 405, 'POST'],
  ['/introspect', 405, 'POST'],
])('GET %s is answered with %i', async (path, status, allow) => {
  const app = await start()
  const response = await fetch(app.url + path)
  expect([response.status, response.headers.get('allow')]).toEqual([status, allow ?? null])
})

test('a foreign Host or X-Forwarded-Host changes no address', async () => {
  const app = await start({ env: { PUBLIC_URL: 'https://mcp.example.com' } })
  const headers = { host: 'localhost', 'x-forwarded-host': 'evil.example' }
  const text = await new Promise<string>((resolve, reject) => {
    request(app.localUrl + METADATA, { headers }, async (response) => {
      resolve(Buffer.concat(await response.toArray()).toString())
    })
      .on('error', reject)
      .end()
  })
  expect(text).not.toContain('evil')
  expect(JSON.parse(text)).toMatchObject({ token_endpoint: 'https://mcp.example.com/token' })
})

test('pages of any origin may use the endpoints without cookies, and no others', async () => {
  const app = await start({ env: { NODE_ENV: 'test' } })
  const origin = 'https://inspector.example'
  for (const path of ['/token', '/register', '/revoke', '/introspect', '/jwks', METADATA]) {
    const { status, headers } = await fetch(app.url + path, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    })
    expect([path, status, headers.get('access-control-allow-origin')]).toEqual([path, 204, '*'])
    expect(headers.get('access-control-allow-headers')).toMatch(/content-type/i)
    expect(headers.has('access-control-allow-credentials')).toBe(false)
  }
  const registered = await register(app.url, {}, { origin })
  expect(registered.status).toBe(201)
  expect(registered.headers.get('access-control-allow-origin')).toBe('*')
  const refused = await postForm(`${app.url}/token`, { client_id: 'x' }, { origin })
  expect(refused.headers.get('access-control-allow-origin')).toBe('*')
  const page = await fetch(`${app.url}/authorize`, { headers: { origin } })
  expect(page.status).toBe(403)
})
