/** Redis stores as the tests open them. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '../../src/store/port.ts'
import { createRedisStore, type RedisStoreOptions } from '../../src/store/redis.ts'

/** A store that is connected already. */
export async function connectedStore(
  url: string,
  options: Partial<RedisStoreOptions> = {},
): Promise<Store> {
  const log = { info: () => undefined, warn: () => undefined }
  const store = createRedisStore({ url, log, ...options })
  await untilAvailable(store, 30_000)
  return store
}

/** Waits until the store responds; returns the elapsed milliseconds. */
export async function untilAvailable(store: Store, withinMs = 5000): Promise<number> {
  const startedAt = performance.now()
  for (;;) {
    try {
      await store.ping()
      return performance.now() - startedAt
    } catch (error) {
      if (performance.now() - startedAt > withinMs) throw error
      await sleep(10)
    }
  }
}
