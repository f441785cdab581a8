/** `demo`: without it there are no routes of it, and an upstream is required. */

import { expect, test } from 'vitest'
import { ConfigError } from '../../src/config.ts'
import { fetchText, pageOf, routeLabels, serve } from './served.ts'

const UPSTREAM = {
  UPSTREAM_ISSUER: 'https://id.example.com',
  UPSTREAM_CLIENT_ID: 'mcp',
  UPSTREAM_API_URL: 'https://api.example.com',
}
const PATHS = ['/demo/idp', '/demo/idp/.well-known/openid-configuration', '/demo/api/accounts/me']

test('false has no demo routes, labels or mention', async () => {
  const app = await serve({ demo: false }, UPSTREAM)
  for (const path of PATHS) expect((await fetchText(app.url + path)).status).toBe(404)
  expect((await routeLabels(app)).join()).not.toContain('demo')
  const { text } = await pageOf(app)
  expect(text).toContain('id.example.com')
  expect(text).not.toContain('demo')
})

test('false without an upstream is refused at start, with both fixes', async () => {
  const refused = await serve({ demo: false }).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(ConfigError)
  expect(String(refused)).toMatch(/UPSTREAM_ISSUER is required .*DEMO=off.*demo: false/)
})

test.each(['on', 'auto'])('DEMO=%s overrides false', async (DEMO) => {
  const app = await serve({ demo: false }, { DEMO })
  expect((await fetchText(`${app.url}/demo/idp/.well-known/openid-configuration`)).status).toBe(200)
})

test('true is the default, and DEMO=off overrides it', async () => {
  const app = await serve({ demo: true })
  expect((await fetchText(`${app.url}/demo/api/accounts/me`)).status).toBe(401)
  await expect(serve({ demo: true }, { DEMO: 'off' })).rejects.toBeInstanceOf(ConfigError)
})
