/** What counting costs: a session is counted while the store is asked about its token. */

import { afterAll, beforeAll, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { type DirectCaller, letDirectCallerIn } from '../support/direct.ts'
import { failingStore } from '../support/failing-store.ts'
import { toldLimits } from '../support/rate-limits.ts'

const store = failingStore()
let app: TestApp
let caller: DirectCaller
beforeAll(async () => {
  app = await startApp({ store, env: { RATE_LIMIT: 'on' } })
  caller = await letDirectCallerIn(app.url)
})
afterAll(() => app.stop())

it('is one question to the store, asked together with those about the token', async () => {
  store.asked.length = 0
  const { status, headers } = await caller.call('tools/list')
  expect(status).toBe(200)
  expect(toldLimits(headers)).toMatchObject([{ limit: 'caller', quota: 3000, remaining: 2999 }])
  const counts = store.asked.filter((question) => question.startsWith('count '))
  expect(counts).toEqual([expect.stringMatching(/^count rate:caller:/)])
  // First, and so before any of the others has its answer.
  expect(store.asked[0]).toBe(counts[0])
  expect(store.asked.length).toBeGreaterThan(1)
})

it('is no question at all for who is refused without one', async () => {
  store.asked.length = 0
  const type = { 'content-type': 'text/plain' }
  const refused = await fetch(`${app.url}/http`, { method: 'POST', headers: type, body: '{}' })
  expect(refused.status).toBe(415)
  expect(store.asked).toEqual([])
})

it('is a 503 when the store is away, for the count as for the rest', async () => {
  store.takeAway()
  expect((await caller.call('tools/list')).status).toBe(503)
  store.giveBack()
  expect((await caller.call('tools/list')).status).toBe(200)
  expect(app.lines.filter((line) => line.includes('unhandled'))).toEqual([])
})
