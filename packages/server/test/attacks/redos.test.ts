/** ReDoS by names and URIs (CVE-2026-0621): matching takes no longer than for other texts. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { ERAS } from '../support/clients.ts'
import { expectWithin } from '../support/expect-within.ts'
import { connect, PROTOCOL_CATALOG, post, read, request, sendRequest } from '../support/wire.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG })
})
afterAll(() => app.stop())

const MANY = 50_000

/** Quadratic matching would take seconds, each time. */
const FAST_MS = 500

const URIS = [
  ['commas', `test://list/${','.repeat(MANY)}`],
  ['commas and a slash', `test://list/${','.repeat(MANY)}/`],
  ['letters and commas', `test://list/${'a,'.repeat(MANY / 2)}`],
  ['letters and commas, then a mismatch', `test://list/${'a,'.repeat(MANY / 2)}!/x/y/z`],
  ['slashes', `test://list/${'/'.repeat(MANY)}`],
  ['percent signs', `test://list/${'%2C'.repeat(MANY / 3)}`],
  ['brackets', `test://${'{'.repeat(MANY)}`],
] as const

test.each(ERAS)('a resource URI of 50,000 characters is answered fast in %s', async (era) => {
  for (const [, uri] of URIS) {
    await expectWithin<unknown>(FAST_MS, () =>
      era === '2026-07-28' ? sendModern(uri) : sendRequest(app.url, era, 'resources/read', { uri }),
    )
  }
})

/** 2026-era clients repeat the URI in a header, which may not be that long. */
async function sendModern(uri: string) {
  const answer = await sendRequest(app.url, '2026-07-28', 'resources/read', { uri })
  expect([200, 400, 404, 431]).toContain(answer.status)
}

test('a list in a URI is still matched', async () => {
  const { message } = await sendRequest(app.url, '2025-11-25', 'resources/read', {
    uri: 'test://list/a,b,c/d',
  })
  expect(JSON.stringify(message.result)).toContain('[\\"a\\",\\"b\\",\\"c\\"]')
})

test.each([
  ['Accept', { accept: `${'application/json,'.repeat(700)} text/event-stream` }],
  ['Content-Type', { 'content-type': `application/json;${'a=b;'.repeat(2000)}` }],
  ['Content-Type with quotes', { 'content-type': `application/json;a="${'\\"'.repeat(4000)}` }],
  ['Mcp-Session-Id', { 'mcp-session-id': `con_${'-'.repeat(8000)}` }],
  ['X-Request-Id', { 'x-request-id': 'a'.repeat(8000) }],
  ['Origin', { origin: `http://${'localhost.'.repeat(800)}` }],
  ['Cookie', { cookie: 'a='.repeat(4000) }],
])('a long %s is matched in linear time', async (_name, headers) => {
  const given = { ...(await connect(app.url)), ...headers }
  await expectWithin(FAST_MS, () => read(post(app.url, request('ping'), given)))
})
