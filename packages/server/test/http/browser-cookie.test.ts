/** The cookie of a browser that has authorized a client. */

import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { sha256 } from '../../src/crypto/hash.ts'
import type { HttpEnv } from '../../src/http/http-env.ts'
import { browserCookie, knownBrowser } from '../../src/http/pages/browser-cookie.ts'

/** POST approves, GET returns the known browser; over https or http. */
function approvals(secure: boolean) {
  const app = new Hono<HttpEnv>()
  app.post('/', (c) => c.text(browserCookie(c, { secure, maxAgeSeconds: 1209600 })))
  app.get('/', (c) => c.text(knownBrowser(c, secure) ?? 'nobody'))
  const send = async (method: string, cookie = '') => {
    const response = await app.request('/', { method, headers: { cookie } })
    const [set = ''] = response.headers.getSetCookie()
    return { text: await response.text(), set, pair: set.split(';', 1)[0] ?? '' }
  }
  return {
    approve: (cookie?: string) => send('POST', cookie),
    who: (cookie: string) => send('GET', cookie),
  }
}

test('is inaccessible to scripts, other sites and other hosts, and has the lifetime of clients', async () => {
  const { set } = await approvals(true).approve()
  expect(set).toMatch(/^__Host-mcp-browser=[\w-]{43};/)
  for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Lax', 'Path=/', 'Max-Age=1209600']) {
    expect(set.split('; ')).toContain(attribute)
  }
  expect(set).not.toContain('Domain')
})

test('works on loopback without https', async () => {
  const { set } = await approvals(false).approve()
  expect(set).toMatch(/^mcp-browser=[\w-]{43};/)
  expect(set).not.toContain('Secure')
})

test('stores its hash in the session, by which the browser is recognized', async () => {
  const { approve, who } = approvals(true)
  const { text, pair } = await approve()
  expect(text).toBe(sha256(pair.split('=')[1] ?? ''))
  expect((await who(pair)).text).toBe(text)
  expect((await who('')).text).toBe('nobody')
})

test('is one for each browser: a second client only renews it', async () => {
  const { approve } = approvals(true)
  const first = await approve()
  const second = await approve(first.pair)
  expect(second.set).toBe(first.set)
  expect(second.text).toBe(first.text)
  expect((await approve()).text).not.toBe(first.text)
})

test.each(['', 'x', 'a'.repeat(42), 'a'.repeat(44), `${'a'.repeat(42)}%`])(
  'that the server did not issue ("%s") is replaced',
  async (value) => {
    const { approve, who } = approvals(false)
    expect((await who(`mcp-browser=${value}`)).text).toBe('nobody')
    expect((await approve(`mcp-browser=${value}`)).pair).not.toBe(`mcp-browser=${value}`)
  },
)

test('of plain http is ignored over https', async () => {
  const { pair } = await approvals(false).approve()
  expect((await approvals(true).who(pair)).text).toBe('nobody')
})
