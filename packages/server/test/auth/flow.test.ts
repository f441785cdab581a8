/** From an unknown client to an access token, over HTTP. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { claimsOf, createOAuthClient, REDIRECT_URI } from '../support/oauth-client.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app.stop())

test('a client registers, is authorized, and gets a token for a new session', async () => {
  const client = await createOAuthClient(app.url)
  const { page, state, verifier, decide } = await client.openConsent()
  expect(page.url.pathname).toMatch(/^\/consent\//)
  for (const text of ['A test client', 'an app on this computer (127.0.0.1:33418)', 'mcp']) {
    expect(page.text).toContain(text)
  }
  const { url } = await decide('allow')
  expect(url.href.startsWith(`${REDIRECT_URI}?`)).toBe(true)
  expect(url.searchParams.get('state')).toBe(state)
  expect(url.searchParams.get('iss')).toBe(app.url)

  const code = url.searchParams.get('code') ?? ''
  const { status, headers, body } = await client.exchange({ code, verifier })
  expect(status).toBe(200)
  expect(headers.get('cache-control')).toBe('no-store')
  expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: 'mcp service:read' })
  expect(body).not.toHaveProperty('id_token')
  const claims = claimsOf(String(body.access_token))
  expect(claims).toMatchObject({
    iss: app.url,
    aud: `${app.url}/mcp`,
    client_id: client.id,
    scope: body.scope,
    session_id: expect.stringMatching(/^ses_/),
    jti: expect.any(String),
    exp: Number(claims.iat) + 3600,
  })
})
