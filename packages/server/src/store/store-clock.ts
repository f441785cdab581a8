/** One clock for all nodes: the store's. What one node says to be over must be over for the others. */

import type { Store } from './port.ts'

export interface StoreClock {
  /** Unix time in milliseconds by the store's clock; by this machine's until that was heard. */
  now(): number
  /** Asks what time it is, and goes on asking. Resolves after the first time, heard or not. */
  start(): Promise<void>
  stop(): void
}

export interface StoreClockDeps {
  readonly store: Pick<Store, 'time'>
  /** Unix time in milliseconds by this machine's clock. */
  readonly now: () => number
  /** Milliseconds that never go back. */
  readonly monotonicNow: () => number
}

/** A clock that was set is noticed after this time. */
const ASK_EVERY_MS = 2000

export function createStoreClock({ store, now, monotonicNow }: StoreClockDeps): StoreClock {
  let aheadMs = 0
  let asking: NodeJS.Timeout | undefined

  /** While the store is away, the difference is what it was. */
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
