/** The store's clock, shared by all nodes: what has expired for one node has expired for all. */

import type { Store } from './port.ts'

export interface StoreClock {
  /** Unix time in milliseconds by the store's clock; by this machine's until the first reading. */
  now(): number
  /** Starts to read the store's time periodically. Resolves after the first attempt, even if it failed. */
  start(): Promise<void>
  stop(): void
}

export interface StoreClockDeps {
  readonly store: Pick<Store, 'time'>
  /** Unix time in milliseconds by this machine's clock. */
  readonly now: () => number
  /** Monotonic time in milliseconds. */
  readonly monotonicNow: () => number
}

/** A clock change is noticed after this time. */
const ASK_EVERY_MS = 2000

export function createStoreClock({ store, now, monotonicNow }: StoreClockDeps): StoreClock {
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
    now: () => now() + aheadMs,
    async start() {
      asking = setInterval(ask, ASK_EVERY_MS)
      await ask()
    },
    stop: () => clearInterval(asking),
  }
}
