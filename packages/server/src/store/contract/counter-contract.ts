/** Contract suite: counters. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { TestRunner } from './runner.ts'
import { MINUTE, type Nodes, newKey } from './store-nodes.ts'

export function counterContract(nodes: Nodes, runner: TestRunner): void {
  runner.describe('a counter', () => {
    counts(nodes, runner)
    windows(nodes, runner)
  })
}

function counts(nodes: Nodes, { expect, it }: TestRunner): void {
  it('begins with 1 and counts on, for all nodes together', async () => {
    const key = newKey()
    expect(await nodes.one.count(key, MINUTE)).toMatchObject({ count: 1 })
    expect(await nodes.other.count(key, MINUTE)).toMatchObject({ count: 2 })
    expect(await nodes.one.count(newKey(), MINUTE)).toMatchObject({ count: 1 })
  })

  it('gives each of 50 a number of its own', async () => {
    const key = newKey()
    const counted = await nodes.race((node) => node.count(key, MINUTE))
    expect(counted.map(({ count }) => count).toSorted((a, b) => a - b)).toEqual(
      Array.from(counted, (_, index) => index + 1),
    )
  })

  it('adds the given amount in one step', async () => {
    const key = newKey()
    expect(await nodes.one.count(key, MINUTE, 65)).toMatchObject({ count: 65 })
    expect(await nodes.other.count(key, MINUTE)).toMatchObject({ count: 66 })
    const counted = await nodes.race((node) => node.count(key, MINUTE, 1000))
    const sums = counted.map(({ count }) => count).toSorted((a, b) => a - b)
    expect(sums).toEqual(Array.from(counted, (_, index) => 66 + 1000 * (index + 1)))
  })

  it('adds nothing but whole, positive numbers', async () => {
    const key = newKey()
    for (const by of [0, -1, 1.5, Number.NaN, 2 ** 60]) {
      await expect(nodes.one.count(key, MINUTE, by)).rejects.toThrow(RangeError)
    }
    expect(await nodes.one.count(key, MINUTE)).toMatchObject({ count: 1 })
  })

  it('does not mix with a document or a lock of the same name', async () => {
    const key = await nodes.given({ a: 1 })
    const lock = await nodes.one.lock(key, MINUTE)
    expect(await nodes.one.count(key, MINUTE)).toMatchObject({ count: 1 })
    expect(await nodes.one.get(key)).toEqual({ a: 1, rev: 1 })
    expect(await lock?.extend(MINUTE)).toBe(true)
  })
}

function windows(nodes: Nodes, { expect, it }: TestRunner): void {
  it('begins anew after its window, which counting does not lengthen', async () => {
    const key = newKey()
    const counted: number[] = []
    // Each call is well within the window of the previous one: a sliding window would never end.
    for (let round = 0; round < 8; round += 1) {
      counted.push((await nodes.one.count(key, 0.3)).count)
      await sleep(100)
    }
    expect(counted.slice(1)).toContain(1)
  })

  it('reports how long its window still lasts, the same for all nodes', async () => {
    const key = newKey()
    const { windowLeftMs: first } = await nodes.one.count(key, MINUTE)
    expect(first).toBeGreaterThan((MINUTE - 1) * 1000)
    expect(first).toBeLessThanOrEqual(MINUTE * 1000)
    await sleep(20)
    const { windowLeftMs: later } = await nodes.other.count(key, MINUTE)
    // Timers may fire a moment early.
    expect(later).toBeLessThanOrEqual(first - 15)
    expect(later).toBeGreaterThan(first - 30_000)
  })

  it('refuses a window that is not positive', async () => {
    for (const ttl of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(nodes.one.count(newKey(), ttl)).rejects.toThrow(RangeError)
    }
  })
}
