/** The official clients above a rate limit: they get the error, lose nothing, and retry. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { connectClient, connectClientV1, ERAS } from '../support/clients.ts'

const CALLS = 12
const MINUTE_MS = 60_000

/** The time by which the test advances the monotonic clock and the clock of the store. */
let aheadMs = 0
const monotonicNow = performance.now.bind(performance)
beforeAll(() => {
  vi.spyOn(performance, 'now').mockImplementation(() => monotonicNow() + aheadMs)
})
afterAll(() => {
  vi.restoreAllMocks()
})

describe('an official client', () => {
  let app: TestApp
  beforeEach(async () => {
    const env = { RATE_LIMIT: 'on', RATE_LIMIT_CALLER: `${CALLS}`, RATE_LIMIT_ADDRESS: `${CALLS}` }
    app = await startApp({ env, store: createMemoryStore({ now: () => Date.now() + aheadMs }) })
  })
  afterEach(() => app.stop())

  it.each([
    ...ERAS.map((era) => [era, async () => (await connectClient(app.url, era)).client] as const),
    ['v1', () => connectClientV1(app.url)] as const,
  ])('gets 429, and is served again in the next window: %s', async (_, open) => {
    const client = await open()
    const call = async () => client.callTool({ name: 'session', arguments: {} })
    const failure = await failureOf(call)
    expect([failure.code, failure.status]).toContain(429)
    expect(String(failure.message)).toMatch(/Too many requests/)
    aheadMs += MINUTE_MS
    expect((await call()).content).not.toEqual([])
    await client.close()
  })
})

/** The error of a call above the limit. */
async function failureOf(act: () => Promise<unknown>): Promise<Record<string, unknown>> {
  for (let call = 0; call < CALLS; call += 1) {
    const failure = await act().then(
      () => undefined,
      (error: unknown) => error,
    )
    if (failure !== undefined) return failure as Record<string, unknown>
  }
  return expect.fail('it was served more often than the limit says')
}
