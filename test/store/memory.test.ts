/** The memory store: the contract, and what is its own. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createExpiringMap } from '../../src/store/expiring-map.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { storeContract } from './contract.ts'
import type { OpenedStore } from './nodes.ts'

async function open(): Promise<OpenedStore> {
  const store = createMemoryStore()
  return { nodes: [store, store], close: store.close }
}

describe('the memory store', () => storeContract(open))

describe('the memory store by itself', () => {
  it('expires by the clock it is given', async () => {
    let now = 0
    const store = createMemoryStore({ now: () => now })
    await store.set('a', { a: 1 }, 3600)
    now = 3600 * 1000 - 1
    expect(await store.get('a')).toBeDefined()
    now += 1
    expect(await store.get('a')).toBeUndefined()
    await store.close()
  })

  it('is unavailable once it is closed', async () => {
    const store = createMemoryStore()
    await store.close()
    await expect(store.get('a')).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('its sweeper', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  it('forgets expired entries that nobody asks for, a thousand a second', () => {
    const map = createExpiringMap<number>(Date.now)
    for (let index = 0; index < 2500; index += 1) map.set(`old ${index}`, index, 0.5)
    map.set('young', 1, 3600)
    vi.advanceTimersByTime(1000)
    expect(map.size()).toBe(1501)
    vi.advanceTimersByTime(3000)
    expect(map.size()).toBe(1)
    map.close()
  })

  it('stops with the map', () => {
    createExpiringMap<number>(Date.now).close()
    expect(vi.getTimerCount()).toBe(0)
  })
})
