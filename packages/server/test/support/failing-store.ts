/** A memory store that a test can make unavailable and restore. */

import { storeUnavailable } from '../../src/errors.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'

export interface FailingStore extends Store {
  /** From now on all operations, or those on keys with this suffix, fail as if Redis were unavailable. */
  disconnect(keyEnding?: string): void
  reconnect(): void
  /** All operations, by name and key. */
  readonly commands: string[]
}

export function failingStore(): FailingStore {
  const memory = createMemoryStore()
  const commands: string[] = []
  let unavailableKeys: string | undefined
  const guarded = Object.entries(memory).map(([name, operation]) => {
    // Messages between nodes and clock reads do not belong to a request.
    if (name === 'streams' || name === 'time') return [name, operation]
    const guard = async (...given: unknown[]) => {
      const key = String(given[0] ?? '')
      if (key.startsWith('{nodes}:'))
        return (operation as (...given: unknown[]) => unknown)(...given)
      commands.push(`${name} ${key}`)
      if (unavailableKeys !== undefined && name !== 'close' && key.endsWith(unavailableKeys)) {
        throw storeUnavailable(new Error('connect ECONNREFUSED 10.20.30.40:6379'))
      }
      return (operation as (...given: unknown[]) => unknown)(...given)
    }
    return [name, guard]
  })
  return Object.assign(Object.fromEntries(guarded) as Store, {
    commands,
    disconnect(keyEnding = '') {
      unavailableKeys = keyEnding
    },
    reconnect() {
      unavailableKeys = undefined
    },
  })
}
