/** `landingPage`: nothing at `/`, or a list of tools for everybody or for signed-in users only. */

import { expect, test } from 'vitest'
import { sha256 } from '../../src/crypto/hash.ts'
import { createAuthorizedClients } from '../../src/session/authorized-clients.ts'
import { authorizeClient } from '../support/consented-client.ts'
import { fetchText, pageOf, routeLabels, serve } from './served.ts'

const LISTED = /<code>service<\/code>/

test('false leaves nothing at /, in any form or method', async () => {
  const app = await serve({ landingPage: false })
  for (const accept of ['application/json', '*/*']) {
    const { status, text } = await fetchText(app.localUrl, { headers: { accept } })
    expect([status, JSON.parse(text).error.data.code]).toEqual([404, 'not_found'])
  }
  const { status, text } = await fetchText(app.localUrl, { headers: { accept: 'text/html' } })
  expect([status, text.includes('<h1>Page not found</h1>')]).toEqual([404, true])
  expect(text).not.toMatch(/<a href|service/)
  expect((await fetchText(app.localUrl, { method: 'POST' })).status).toBe(404)
  expect(await routeLabels(app)).not.toContain('/')
  expect((await fetchText(`${app.url}/livez`)).status).toBe(200)
})

test('public lists the tools, also where a token is required', async () => {
  const app = await serve({ landingPage: 'public' }, { MCP_AUTH: 'required' })
  expect((await pageOf(app)).text).toMatch(LISTED)
})

test('signed-in lists them for a browser whose client is signed in', async () => {
  const app = await serve({ landingPage: 'signed-in' })
  expect((await pageOf(app)).text).not.toMatch(LISTED)
  const { sessions, sessionId, browser, cookie } = await authorizeClient(app)
  const remembered = createAuthorizedClients({ store: app.store, sessions }, { ttlSeconds: 60 })
  await remembered.remember(sha256(browser), sessionId)
  const open = () => fetchText(app.localUrl, { headers: { accept: 'text/html', cookie } })
  expect((await open()).text).not.toMatch(LISTED)
  await sessions.update(sessionId, 'state', 'authenticated')
  expect((await open()).text).toMatch(LISTED)
})

test.each([
  ['public', 'hide', false],
  ['public', 'auto', true],
  ['signed-in', 'show', true],
  ['public', 'signed-in', false],
] as const)(
  'LANDING_TOOLS takes precedence: option %s, variable %s',
  async (landingPage, choice, isShown) => {
    const app = await serve({ landingPage }, { LANDING_TOOLS: choice })
    expect(LISTED.test((await pageOf(app)).text)).toBe(isShown)
  },
)
