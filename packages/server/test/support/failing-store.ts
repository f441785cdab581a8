/** A memory store that a test can make unavailable and restore. */

import { storeUnavailable } from '../../src/errors.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'

export interface FailingStore extends Store {
  /** From now on all operations, or those on keys with this suffix, fail as if Redis were unavailable. */
  takeAway(keyEnding?: string): void
  giveBack(): void
  /** All operations, by name and key. */
  readonly asked: string[]
}

export function failingStore(): FailingStore {
  const memory = createMemoryStore()
  const asked: string[] = []
  let away: string | undefined
  const guarded = Object.entries(memory).map(([name, operation]) => {
    // Messages between nodes and clock reads do not belong to a request.
    if (name === 'streams' || name === 'time') return [name, operation]
    const guard = async (...given: unknown[]) => {
      const key = String(given[0] ?? '')
      if (key.startsWith('{nodes}:'))
        return (operation as (...given: unknown[]) => unknown)(...given)
      asked.push(`${name} ${key}`)
      if (away !== undefined && name !== 'close' && key.endsWith(away)) {
        throw storeUnavailable(new Error('connect ECONNREFUSED 10.20.30.40:6379'))
      }
      return (operation as (...given: unknown[]) => unknown)(...given)
    }
    return [name, guard]
  })
  return Object.assign(Object.fromEntries(guarded) as Store, {
    asked,
    takeAway(keyEnding = '') {
      away = keyEnding
    },
    giveBack() {
      away = undefined
    },
  })
}
