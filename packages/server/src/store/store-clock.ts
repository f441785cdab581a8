/** The store's clock, shared by all nodes: what has expired for one node has expired for all. */

import type { Store } from './port.ts'

export interface StoreClockDeps {
  readonly store: Pick<Store, 'time'>
  /** Unix time in milliseconds by this machine's clock. */
  readonly now: () => number
  /** Monotonic time in milliseconds. */
  readonly monotonicNow: () => number
}

/** A clock change is noticed after this time. */
const ASK_EVERY_MS = 2000

export type StoreClock = ReturnType<typeof createStoreClock>

export function createStoreClock({ store, now, monotonicNow }: StoreClockDeps) {
  let aheadMs = 0
  let asking: NodeJS.Timeout | undefined

  /** Keeps the last offset while the store is unavailable. */
  async function ask(): Promise<void> {
    const asked = monotonicNow()
    const time = await store.time().catch(() => undefined)
    const wayBackMs = (monotonicNow() - asked) / 2
    if (time !== undefined) aheadMs = Math.round(time + wayBackMs - now())
  }

  return {
    /**
     * Unix time in milliseconds by the store's clock; by this machine's until the first reading.
     */
    now: (): number => now() + aheadMs,
    /**
     * Starts to read the store's time periodically. Resolves after the first attempt, even if it
     * failed.
     */
    async start(): Promise<void> {
      asking = setInterval(ask, ASK_EVERY_MS)
      await ask()
    },
    stop: (): void => clearInterval(asking),
  }
}
