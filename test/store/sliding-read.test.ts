/** Reading what lives on with use: nothing ends early that is used, and little is written for it. */

import { describe, expect, it, vi } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createSlidingRead } from '../../src/store/sliding-read.ts'

const START = Date.UTC(2026, 0, 1)

async function reading(ttlSeconds = 3600) {
  let time = START
  const now = () => time
  const store = createMemoryStore({ now })
  const touch = vi.spyOn(store, 'touch')
  await store.create('it', { a: 1 }, ttlSeconds)
  const read = createSlidingRead({ store, now }, ttlSeconds)
  function pass(milliseconds: number): void {
    time += milliseconds
  }
  return { store, touch, read, pass, now }
}

describe('a document that is read', () => {
  it('lives on, however often that is', async () => {
    const { read, pass } = await reading(60)
    for (let use = 0; use < 1000; use += 1) {
      pass(400)
      expect(await read('it')).toEqual({ a: 1, rev: 1 })
    }
    pass(60_000)
    expect(await read('it')).toBeUndefined()
  })

  it('is written once a second', async () => {
    const { read, pass, touch } = await reading()
    for (let use = 0; use < 100; use += 1) {
      await read('it')
      pass(100)
    }
    expect(touch).toHaveBeenCalledTimes(10)
  })

  it('lives on where it is short-lived, too', async () => {
    const { read, pass } = await reading(1)
    for (let use = 0; use < 10; use += 1) {
      pass(500)
      expect(await read('it')).toBeDefined()
    }
  })

  it('lives on after the clock was set back', async () => {
    const { read, pass, touch } = await reading()
    await read('it')
    pass(-3_600_000)
    await read('it')
    expect(touch).toHaveBeenCalledTimes(2)
  })

  it('is slid on by each node, whatever the others do', async () => {
    const { store, read, touch, now } = await reading()
    const other = createSlidingRead({ store, now }, 3600)
    await read('it')
    await other('it')
    expect(touch).toHaveBeenCalledTimes(2)
  })
})

describe('a document that is not there', () => {
  it('is not found, and slid on as soon as it is', async () => {
    const { store, read, touch } = await reading()
    expect(await read('other')).toBeUndefined()
    await store.create('other', { b: 2 }, 3600)
    expect(await read('other')).toEqual({ b: 2, rev: 1 })
    expect(touch).toHaveBeenCalledTimes(2)
  })

  it('is not found any more once it is deleted', async () => {
    const { store, read } = await reading()
    await read('it')
    await store.delete('it')
    expect(await read('it')).toBeUndefined()
  })
})
