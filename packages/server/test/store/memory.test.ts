/** The memory store: the contract, and its own properties. */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { listen } from '../../src/store/contract/recording.ts'
import type { OpenedStore } from '../../src/store/contract/store-nodes.ts'
import { createExpiringMap } from '../../src/store/expiring-map.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { storeContract } from './contract.ts'

async function open(): Promise<OpenedStore> {
  const store = createMemoryStore()
  return { nodes: [store, store], close: store.close }
}

describe('the memory store', () => storeContract(open))

describe('the memory store by itself', () => {
  it('expires by the injected clock', async () => {
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

describe('streams in memory', () => {
  const limits = { maxLength: 10, ttlSeconds: 60 }

  it('get increasing ids from a clock that is set back', async () => {
    let now = 2000
    const store = createMemoryStore({ now: () => now })
    expect(await store.streams.append('a', '1', limits)).toBe('2000-0')
    now = 1000
    expect(await store.streams.append('a', '2', limits)).toBe('2000-1')
    await store.close()
  })

  it('deliver later than they append', async () => {
    const store = createMemoryStore()
    const recording = await listen(store.streams, ['a'])
    await store.streams.append('a', '1', limits)
    expect(recording.received).toEqual([])
    await recording.until(1)
    await store.close()
  })

  it('are received again after they expired and were created anew', async () => {
    let now = 0
    const store = createMemoryStore({ now: () => now })
    const recording = await listen(store.streams, ['a'])
    await store.streams.append('a', 'old', { ...limits, sequence: 9 })
    now = 60_000
    expect(await store.streams.append('a', 'new', { ...limits, sequence: 1 })).toBe('0-1')
    await recording.until(2)
    expect(recording.values()).toEqual(['old', 'new'])
    await store.close()
  })

  it('log errors of a follower', async () => {
    const warn = vi.fn()
    const store = createMemoryStore({ log: { info: () => undefined, warn } })
    const mistake = new Error('A mistake of the caller.')
    await store.streams.follow(['a'], () => {
      throw mistake
    })
    const id = await store.streams.append('a', '1', limits)
    await vi.waitFor(() => expect(warn).toHaveBeenCalledOnce(), 30_000)
    expect(warn.mock.calls[0]?.[0]).toEqual({ err: mistake, stream: 'a', entry: id })
    await store.close()
  })

  it('end with their store', async () => {
    const store = createMemoryStore()
    const recording = await listen(store.streams, ['a'])
    await store.streams.append('a', '1', limits)
    await store.close()
    await sleep(20)
    expect(recording.received).toEqual([])
    const unavailable = { code: 'unavailable' }
    await expect(store.streams.append('a', '1', limits)).rejects.toMatchObject(unavailable)
    await expect(store.streams.read('a', '0')).rejects.toMatchObject(unavailable)
    await expect(store.streams.last('a')).rejects.toMatchObject(unavailable)
    await expect(listen(store.streams, ['a'])).rejects.toMatchObject(unavailable)
  })
})

describe('its sweeper', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  it('removes expired entries, a thousand a second', () => {
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
