/** A memory store that remembers all that was ever written to it. */

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
  const store: Store = {
    ...memory,
    set(key, value, ttlSeconds) {
      written.push({ key, value, ttlSeconds })
      return memory.set(key, value, ttlSeconds)
    },
    create(key, value, ttlSeconds) {
      written.push({ key, value, ttlSeconds })
      return memory.create(key, value, ttlSeconds)
    },
    patch(key, value, options) {
      written.push({ key, value, ttlSeconds: options?.ttlSeconds })
      return memory.patch(key, value, options)
    },
  }
  return { store, written }
}
