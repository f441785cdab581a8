/** Sliding expiration: renewed once a minute on use, ends when idle. */

import { setImmediate as nextTick } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { storeUnavailable } from '../../src/errors.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { SlidingExpiration, type Stamps } from '../../src/store/sliding-expiration.ts'

const START = Date.UTC(2026, 0, 1)

async function slidingDocument(ttlSeconds = 3600) {
  let time = START
  const now = () => time
  const store = createMemoryStore({ now })
  const sliding = new SlidingExpiration({ store, now }, ttlSeconds)
  await store.create('it', { ...sliding.stamps() }, sliding.keySeconds)
  const patch = vi.spyOn(store, 'patch')
  const touch = vi.spyOn(store, 'touch')
  return {
    ...{ store, sliding, now, patch, touch },
    pass(milliseconds: number): void {
      time += milliseconds
    },
    /** Reads it, as a request does; false if it has expired. */
    async use(by = sliding): Promise<boolean> {
      const found = await store.get<{ [name: string]: unknown } & Stamps>('it')
      if (found === undefined || by.isOver(found)) return false
      await by.use('it', found)
      return true
    },
  }
}

describe('a document that is used', () => {
  it('stays valid, however often it is used, and expires when it is idle', async () => {
    const { use, pass } = await slidingDocument(60)
    for (let at = 0; at < 1000; at += 1) {
      pass(400)
      expect(await use()).toBe(true)
    }
    pass(60_000)
    expect(await use()).toBe(false)
  })

  it('is written once a minute at most, by all nodes together', async () => {
    const { store, now, use, pass, patch } = await slidingDocument()
    const nodes = [1, 2, 3].map(() => new SlidingExpiration({ store, now }, 3600))
    for (let second = 0; second < 600; second += 1) {
      pass(1000)
      await Promise.all(nodes.map((node) => use(node)))
    }
    // Nodes that use it at the same moment both write.
    expect(patch.mock.calls.length).toBeLessThanOrEqual(nodes.length * 10)
    expect(patch.mock.calls.every(([, , options]) => options?.ttlSeconds === 3600)).toBe(true)
  })

  it('is written once by a node for all uses at the same moment', async () => {
    const { sliding, store, pass, patch, touch } = await slidingDocument()
    pass(61_000)
    const found = (await store.get<{ [name: string]: unknown } & Stamps>('it')) ?? {}
    const uses = await Promise.all(Array.from({ length: 200 }, () => sliding.use('it', found)))
    expect(patch).toHaveBeenCalledTimes(1)
    expect(touch).toHaveBeenCalledTimes(1)
    expect(new Set(uses)).toEqual(new Set([sliding.stamps()]))
    pass(61_000)
    await sliding.use('it', uses[0] ?? {})
    expect(patch).toHaveBeenCalledTimes(2)
  })

  it('ends a minute early at most', async () => {
    const { use, pass } = await slidingDocument()
    pass(60_000)
    expect(await use()).toBe(true)
    pass(3_539_999)
    expect(await use()).toBe(true)
  })

  it('ends together with its key', async () => {
    const { store, use, pass } = await slidingDocument()
    pass(3_600_000)
    expect(await use()).toBe(false)
    expect(await store.get('it')).toBeUndefined()
  })

  it('has new stamps after the clock was set back', async () => {
    const { use, pass, patch } = await slidingDocument()
    pass(-3_600_000)
    expect(await use()).toBe(true)
    expect(patch).toHaveBeenCalledTimes(1)
  })
})

describe('with a longer interval', () => {
  it('is written once in it, and ends no earlier', async () => {
    const { store, now, pass, patch } = await slidingDocument()
    const sliding = new SlidingExpiration({ store, now }, 3600, 15 * 60_000)
    await store.set('it', { ...sliding.stamps() }, sliding.keySeconds)
    const use = async () =>
      sliding.use('it', (await store.get<{ [name: string]: unknown } & Stamps>('it')) ?? {})
    for (let minute = 0; minute < 60; minute += 1) {
      pass(60_000)
      await use()
    }
    expect(patch.mock.calls.length).toBeLessThanOrEqual(4)
    pass(3_540_000)
    expect(await store.get('it')).toBeDefined()
    pass(15 * 60_000)
    expect(await store.get('it')).toBeUndefined()
  })

  it('has at most a quarter of a short time to live', async () => {
    const { store, now } = await slidingDocument(60)
    expect(new SlidingExpiration({ store, now }, 60, 15 * 60_000).keySeconds).toBe(60)
  })
})

describe('with nodes of the previous release', () => {
  it('stays valid although they renew the key only', async () => {
    const { store, use, pass } = await slidingDocument(60)
    await store.set('it', { expiresAt: START + 10_000, lastActiveAt: START }, 10)
    pass(5000)
    await store.touch('it', 60)
    pass(20_000)
    expect(await use()).toBe(true)
  })

  it('expires with its key if it has no stamps, and gets them with its next use', async () => {
    const { store, use, pass, patch } = await slidingDocument(60)
    await store.set('it', { state: 'new' }, 60)
    pass(59_000)
    expect(await use()).toBe(true)
    expect(patch).toHaveBeenCalledTimes(1)
    pass(59_000)
    expect(await use()).toBe(true)
    expect(await store.get('it')).toMatchObject({ state: 'new' })
  })
})

describe('a store that refuses to write', () => {
  it('is not awaited the first time, then until it accepts writes', async () => {
    const { sliding, touch, now } = await slidingDocument()
    const stamps = { lastActiveAt: now() }
    touch.mockRejectedValue(storeUnavailable())
    expect(sliding.use('it', stamps)).toBeUndefined()
    await nextTick()
    await expect(sliding.use('it', stamps)).rejects.toMatchObject({ code: 'unavailable' })
    await expect(sliding.use('other', stamps)).rejects.toMatchObject({ code: 'unavailable' })
    touch.mockResolvedValue(true)
    await sliding.use('it', stamps)
    expect(sliding.use('it', stamps)).toBeUndefined()
  })

  it('keeps what is used while it is full', async () => {
    const { use, pass, patch } = await slidingDocument()
    patch.mockRejectedValue(storeUnavailable())
    pass(90_000)
    expect(await use()).toBe(true)
  })

  it('refuses all uses at the same moment, and the next one asks again', async () => {
    const { sliding, touch } = await slidingDocument()
    touch.mockRejectedValue(storeUnavailable())
    sliding.use('it', {})?.catch(() => undefined)
    await nextTick()
    const uses = Array.from({ length: 10 }, () => sliding.use('it', {}))
    const outcomes = await Promise.allSettled(uses)
    expect(outcomes.map(({ status }) => status)).toEqual(Array(10).fill('rejected'))
    touch.mockResolvedValue(true)
    expect(await sliding.use('it', {})).toMatchObject({ lastActiveAt: expect.any(Number) })
  })

  it('is asked once a second by each node, whatever is used', async () => {
    const { sliding, touch, now, pass } = await slidingDocument()
    for (let at = 0; at < 100; at += 1) {
      sliding.use(`document ${at}`, { lastActiveAt: now() })
      pass(100)
    }
    expect(touch).toHaveBeenCalledTimes(10)
  })
})

it('does not restore an expired document', async () => {
  const { store, sliding } = await slidingDocument()
  await store.delete('it')
  await sliding.use('it', {})
  expect(await store.get('it')).toBeUndefined()
})
