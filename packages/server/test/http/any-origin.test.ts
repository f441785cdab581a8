/**
 * `ALLOWED_ORIGINS=*`: pages and browser extensions of any origin may call with a token. An extension
 * of Firefox has another origin in each installation, so that no list can name them.
 */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTokenApp, type TokenApp } from '../support/token-app.ts'
import { INITIALIZE, post } from '../support/wire.ts'

const ORIGINS = [
  'https://chat.example.com',
  'moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc',
  'vscode-webview://panel',
  'null',
]

let app: TokenApp
beforeAll(async () => {
  app = await startTokenApp({ env: { ALLOWED_ORIGINS: '*', MCP_AUTH: 'required' } })
})
afterAll(() => app.stop())

test.each(ORIGINS)('%s may call, and read refusals', async (origin) => {
  const preflight = await fetch(`${app.url}/mcp`, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST' },
  })
  expect(preflight.status).toBe(204)
  expect(preflight.headers.get('access-control-allow-origin')).toBe(origin)
  expect(preflight.headers.get('access-control-allow-credentials')).toBeNull()

  const refused = await post(app.url, INITIALIZE, { origin })
  expect(refused.status).toBe(401)
  expect(refused.headers.get('access-control-allow-origin')).toBe(origin)
  expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer /)

  const accepted = await post(app.url, INITIALIZE, { ...(await app.bearer()), origin })
  expect(accepted.status).toBe(200)
  expect(accepted.headers.get('access-control-allow-origin')).toBe(origin)
})

test.each(['/', '/callback', '/connect/lnk_x', '/nothing'])(
  'the pages of people stay closed to them: %s',
  async (path) => {
    const response = await fetch(app.url + path, { headers: { origin: ORIGINS[0] ?? '' } })
    expect(response.status).toBe(403)
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
  },
)
