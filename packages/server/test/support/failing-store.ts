/** A memory store that a test takes away and gives back. */

import { storeUnavailable } from '../../src/errors.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'

export interface FailingStore extends Store {
  /** From now on every operation, or each on keys with this ending, fails as when Redis is away. */
  takeAway(keyEnding?: string): void
  giveBack(): void
  /** Operations that were asked for, by name and key. */
  readonly asked: string[]
}

export function failingStore(): FailingStore {
  const memory = createMemoryStore()
  const asked: string[] = []
  let away: string | undefined
  const guarded = Object.entries(memory).map(([name, operation]) => {
    // What nodes tell each other, and what time it is, is none of a request's doing.
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
