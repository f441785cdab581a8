/** The store's clock, with clock skew, latency and outages. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { storeUnavailable } from '../../src/errors.ts'
import { createStoreClock, type StoreClock } from '../../src/store/store-clock.ts'

const NOON = Date.UTC(2026, 6, 28, 12)

let storeAheadMs = 0
let wayMs = 0
let away = false
let clock: StoreClock

beforeEach(() => {
  vi.useFakeTimers({ now: NOON })
  storeAheadMs = 0
  wayMs = 0
  away = false
  const time = async () => {
    await wait(wayMs)
    if (away) throw storeUnavailable()
    const answer = Date.now() + storeAheadMs
    await wait(wayMs)
    return answer
  }
  const monotonicNow = () => performance.now()
  clock = createStoreClock({ store: { time }, now: Date.now, monotonicNow })
})
afterEach(() => {
  clock.stop()
  vi.useRealTimers()
})

const wait = async (ms: number) => {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
}

/** Advances the time until it is done. */
async function soon(done: Promise<void>): Promise<void> {
  await vi.advanceTimersByTimeAsync(2 * wayMs)
  await done
}

const aheadMs = () => clock.now() - Date.now()

describe('the clock of a store', () => {
  it.each([120_000, -120_000, 0])(
    'is used whatever the skew of the local one: %i ms',
    async (ahead) => {
      storeAheadMs = ahead
      await soon(clock.start())
      expect(aheadMs()).toBe(ahead)
      await vi.advanceTimersByTimeAsync(60_000)
      expect(clock.now()).toBe(Date.now() + ahead)
    },
  )

  it('is exact despite latency', async () => {
    storeAheadMs = 120_000
    wayMs = 400
    await soon(clock.start())
    expect(aheadMs()).toBe(120_000)
  })

  it("is this machine's until the store answers", async () => {
    away = true
    storeAheadMs = 120_000
    await soon(clock.start())
    expect(aheadMs()).toBe(0)
    away = false
    await vi.advanceTimersByTimeAsync(2000)
    expect(aheadMs()).toBe(120_000)
  })

  it('keeps its offset while the store is unavailable', async () => {
    storeAheadMs = 120_000
    await soon(clock.start())
    away = true
    await vi.advanceTimersByTimeAsync(60_000)
    expect(aheadMs()).toBe(120_000)
  })

  it('is correct again soon after the local one was changed', async () => {
    await soon(clock.start())
    vi.setSystemTime(NOON + 120_000)
    storeAheadMs = -120_000
    await vi.advanceTimersByTimeAsync(2000)
    expect(aheadMs()).toBe(-120_000)
  })

  it('sends no commands after it is stopped', async () => {
    await soon(clock.start())
    clock.stop()
    expect(vi.getTimerCount()).toBe(0)
  })
})
