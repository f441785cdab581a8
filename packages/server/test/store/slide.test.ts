/** What lives on with use: nothing ends early that is used, and little is written for it. */

import { setImmediate as nextTick } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { storeUnavailable } from '../../src/errors.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createSlide } from '../../src/store/slide.ts'

const START = Date.UTC(2026, 0, 1)

async function sliding(ttlSeconds = 3600) {
  let time = START
  const now = () => time
  const store = createMemoryStore({ now })
  const touch = vi.spyOn(store, 'touch')
  await store.create('it', { a: 1 }, ttlSeconds)
  const slide = createSlide({ store, now }, ttlSeconds)
  function pass(milliseconds: number): void {
    time += milliseconds
  }
  return { store, touch, slide, pass, now }
}

describe('a document that is used', () => {
  it('lives on, however often that is', async () => {
    const { store, slide, pass } = await sliding(60)
    for (let use = 0; use < 1000; use += 1) {
      pass(400)
      expect(await store.get('it')).toBeDefined()
      await slide('it')
    }
    pass(60_000)
    expect(await store.get('it')).toBeUndefined()
  })

  it('is written once a second', async () => {
    const { slide, pass, touch } = await sliding()
    for (let use = 0; use < 100; use += 1) {
      await slide('it')
      pass(100)
    }
    expect(touch).toHaveBeenCalledTimes(10)
  })

  it('ends a second early at most', async () => {
    const { store, slide, pass } = await sliding(60)
    await slide('it')
    pass(999)
    await slide('it')
    pass(59_000)
    expect(await store.get('it')).toBeDefined()
    pass(1)
    expect(await store.get('it')).toBeUndefined()
  })

  it('is slid on after the clock was set back', async () => {
    const { slide, pass, touch } = await sliding()
    await slide('it')
    pass(-3_600_000)
    await slide('it')
    expect(touch).toHaveBeenCalledTimes(2)
  })

  it('is slid on by each node, whatever the others do', async () => {
    const { store, slide, touch, now } = await sliding()
    await slide('it')
    await createSlide({ store, now }, 3600)('it')
    expect(touch).toHaveBeenCalledTimes(2)
  })
})

describe('a store that refuses', () => {
  it('is not waited for the first time, and then until it takes something', async () => {
    const { slide, touch } = await sliding()
    touch.mockRejectedValue(storeUnavailable())
    expect(slide('it')).toBeUndefined()
    await nextTick()
    await expect(slide('it')).rejects.toMatchObject({ code: 'unavailable' })
    await expect(slide('other')).rejects.toMatchObject({ code: 'unavailable' })
    touch.mockResolvedValue(true)
    await slide('it')
    expect(slide('it')).toBeUndefined()
  })
})

it('brings nothing back that is gone', async () => {
  const { store, slide } = await sliding()
  await store.delete('it')
  await slide('it')
  expect(await store.get('it')).toBeUndefined()
})
