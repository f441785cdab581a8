/** A memory store that records the writes of requests. */

import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'

export interface Written {
  readonly key: string
  readonly value: unknown
  readonly ttlSeconds: number | undefined
}

export function recordingStore(): { readonly store: Store; readonly written: Written[] } {
  const written: Written[] = []
  const memory = createMemoryStore()
  /** Messages between nodes do not belong to a request. */
  const record = (key: string, value: unknown, ttlSeconds: number | undefined) => {
    if (!key.startsWith('{nodes}:')) written.push({ key, value, ttlSeconds })
  }
  const store: Store = {
    ...memory,
    set(key, value, ttlSeconds) {
      record(key, value, ttlSeconds)
      return memory.set(key, value, ttlSeconds)
    },
    create(key, value, ttlSeconds) {
      record(key, value, ttlSeconds)
      return memory.create(key, value, ttlSeconds)
    },
    patch(key, value, options) {
      record(key, value, options?.ttlSeconds)
      return memory.patch(key, value, options)
    },
    async count(key, ttlSeconds, by) {
      const counted = await memory.count(key, ttlSeconds, by)
      record(key, counted.count, ttlSeconds)
      return counted
    },
  }
  return { store, written }
}
