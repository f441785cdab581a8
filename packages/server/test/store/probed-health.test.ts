/** The health of Redis by consecutive probes. */

import { expect, it, onTestFinished, vi } from 'vitest'
import { RedisHealth } from '../../src/store/redis-health.ts'
import type { ProbeResult } from '../../src/store/redis-probe.ts'

const FIT: ProbeResult = { unfit: undefined, evictionPolicy: undefined }
const SILENT: ProbeResult = {
  unfit: { reason: 'unreachable', detail: 'Redis does not answer in time.' },
  evictionPolicy: undefined,
}

it('recovers with the next probe if no command timed out', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const results = [FIT, SILENT, FIT]
  const health = new RedisHealth({
    probe: async () => results.shift() ?? FIT,
    log: { info: () => undefined, warn: () => undefined },
    eviction: 'warn',
    monotonicNow: () => Date.now(),
  })
  onTestFinished(() => health.close())
  health.connected()
  await vi.advanceTimersByTimeAsync(0)
  await expect(health.check()).resolves.toEqual({ warnings: [] })
  await vi.advanceTimersByTimeAsync(2000)
  await expect(health.check()).rejects.toThrow('does not answer in time')
  await vi.advanceTimersByTimeAsync(2000)
  await expect(health.check()).resolves.toEqual({ warnings: [] })
})
