/** The cost of rate limits: one command to the store; none for callers above the limit. */

import { afterAll, beforeAll, expect, it } from 'vitest'
import { createId } from '../../src/crypto/random-id.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { authorizeDirectCaller, type DirectCaller } from '../support/direct.ts'
import { failingStore } from '../support/failing-store.ts'
import { limitsIn } from '../support/rate-limits.ts'
import { startTokenApp, type TokenApp, withToken } from '../support/token-app.ts'
import { postModern, read } from '../support/wire.ts'

const store = failingStore()
let app: TestApp
let caller: DirectCaller
beforeAll(async () => {
  app = await startApp({ store, env: { RATE_LIMIT: 'on' } })
  caller = await authorizeDirectCaller(app.url)
})
afterAll(() => app.stop())

it('is one command to the store, after the token is verified', async () => {
  store.commands.length = 0
  const { status, headers } = await caller.call('tools/list')
  expect(status).toBe(200)
  expect(limitsIn(headers)).toMatchObject([{ limit: 'caller', quota: 3000, remaining: 2999 }])
  const counts = store.commands.filter((question) => question.startsWith('count '))
  // In the hash slot of the session: no other shard of a Redis Cluster is needed.
  expect(counts).toEqual([expect.stringMatching(/^count rate:caller:\{ses_[\w-]+\}:/)])
  const isAboutToken = (question: string) => /^get.*(AccessToken|ses_)/.test(question)
  const counted = store.commands.indexOf(counts[0] ?? '')
  expect(store.commands.findIndex(isAboutToken)).toBeGreaterThanOrEqual(0)
  expect(counted).toBeGreaterThan(store.commands.findLastIndex(isAboutToken))
})

it('is no command for a request that is refused earlier', async () => {
  store.commands.length = 0
  const type = { 'content-type': 'text/plain' }
  const refused = await fetch(`${app.url}/http`, { method: 'POST', headers: type, body: '{}' })
  expect(refused.status).toBe(415)
  expect(store.commands).toEqual([])
})

it('is 503 while the store is unavailable', async () => {
  store.disconnect()
  expect((await caller.call('tools/list')).status).toBe(503)
  store.reconnect()
  expect((await caller.call('tools/list')).status).toBe(200)
  expect(app.lines.filter((line) => line.includes('unhandled'))).toEqual([])
})

it.each([
  [
    'of the built-in server',
    startApp,
    async (at: TestApp) => (await authorizeDirectCaller(at.url)).token,
  ],
  [
    'of an external issuer',
    startTokenApp,
    async (at: TestApp) => (at as TokenApp).issuer.token(`${at.url}/mcp`),
  ],
] as const)('is no command for a session above its limit: token %s', async (_, start, tokenFor) => {
  const own = failingStore()
  const at = await start({ store: own, env: { RATE_LIMIT: 'on', RATE_LIMIT_CALLER: '2' } })
  const headers = withToken(await tokenFor(at))
  // Nor is the MCP session read.
  const named = { ...headers, 'mcp-session-id': createId('con') }
  const discover = () => read(postModern(at.url, 'server/discover', {}, { headers: named }))
  for (const expected of [200, 200, 429]) expect((await discover()).status).toBe(expected)
  own.commands.length = 0
  const refused = await discover()
  expect(refused.status).toBe(429)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(limitsIn(refused.headers)).toMatchObject([{ limit: 'caller', remaining: 0 }])
  expect(own.commands).toEqual([])
  await at.stop()
})
