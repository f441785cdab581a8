/** Contract suite: the entries of streams. */

import { setTimeout as sleep } from 'node:timers/promises'
import { numbers } from './recording.ts'
import type { TestRunner } from './runner.ts'
import { everyKindOfValue } from './sample-values.ts'
import { type Nodes, newKey } from './store-nodes.ts'

export function streamsContract(nodes: Nodes, runner: TestRunner): void {
  runner.describe('a stream', () => {
    reads(nodes, runner)
    limits(nodes, runner)
    removals(nodes, runner)
    refusals(nodes, runner)
  })
}

function reads(nodes: Nodes, { expect, it }: TestRunner): void {
  it('is read on every node as it was appended', async () => {
    const key = newKey()
    const value = JSON.stringify(everyKindOfValue())
    const id = await nodes.append(key, value)
    expect(await nodes.other.streams.read(key, '0')).toEqual([{ id, value }])
    expect(await nodes.other.streams.last(key)).toBe(id)
  })

  it('is empty when there is none', async () => {
    expect(await nodes.one.streams.read(newKey(), '0')).toEqual([])
    expect(await nodes.one.streams.last(newKey())).toBe('0')
  })

  it('is read from any entry on, oldest first, as far as wanted', async () => {
    const key = newKey()
    const ids: string[] = []
    for (const value of numbers(1, 20)) ids.push(`${await nodes.append(key, value)}`)
    expect(new Set(ids).size).toBe(20)
    expect(await nodes.valuesOf(key)).toEqual(numbers(1, 20))
    expect(await nodes.valuesOf(key, ids[4])).toEqual(numbers(6, 20))
    expect(await nodes.valuesOf(key, ids[4], 3)).toEqual(numbers(6, 8))
    expect(await nodes.valuesOf(key, ids[19])).toEqual([])
    expect(await nodes.one.streams.last(key)).toBe(ids[19])
  })

  it('does not mix with a document of the same name', async () => {
    const key = await nodes.given({ a: 1 })
    await nodes.append(key, '1')
    await nodes.one.delete(key)
    expect(await nodes.valuesOf(key)).toEqual(['1'])
  })
}

function limits(nodes: Nodes, { expect, it }: TestRunner): void {
  it('keeps the newest entries, and about as many as wanted', async () => {
    const key = newKey()
    const first = `${await nodes.append(key, '1')}`
    for (const value of numbers(2, 1000)) await nodes.append(key, value, { maxLength: 50 })
    const kept = await nodes.valuesOf(key)
    expect(kept.length).toBeGreaterThanOrEqual(50)
    expect(kept.length).toBeLessThan(250)
    expect(kept).toEqual(numbers(1001 - kept.length, 1000))
    expect(await nodes.valuesOf(key, first)).toEqual(kept)
  })

  it('keeps about as many bytes as wanted, of the newest entries', async () => {
    const key = newKey()
    // Small ones before, between and after large ones; é is two bytes.
    const sizes = [...Array(300).fill(50), ...Array(300).fill(500), 40_000, ...Array(300).fill(60)]
    const values = sizes.map((size, index) => `${index}`.padEnd(size, 'é'))
    const sum = (some: readonly string[]) =>
      some.reduce((bytes, value) => bytes + Buffer.byteLength(value), 0)
    for (const [index, value] of values.entries()) {
      await nodes.append(key, value, { maxBytes: 100_000 })
      if (index % 50 !== 49 && index !== 600) continue
      const kept = await nodes.valuesOf(key)
      const appended = values.slice(0, index + 1)
      expect(kept).toEqual(appended.slice(-kept.length))
      expect(sum(kept)).toBeLessThan(100_000 + 80_000)
      const oneMore = appended.slice(-kept.length - 1)
      expect(oneMore.length === kept.length || sum(oneMore) > 50_000).toBe(true)
    }
  })

  it('keeps the newest entry, however large', async () => {
    const key = newKey()
    for (const value of ['a', 'b', 'c']) {
      await nodes.append(key, value.repeat(200), { maxBytes: 100 })
      expect((await nodes.valuesOf(key)).at(-1)).toBe(value.repeat(200))
    }
    expect((await nodes.valuesOf(key)).length).toBeLessThan(3)
  })
}

function removals(nodes: Nodes, { expect, it }: TestRunner): void {
  it('is trimmed up to an entry, and goes on after it', async () => {
    const key = newKey()
    const ids: string[] = []
    for (const value of numbers(1, 5)) ids.push(`${await nodes.append(key, value)}`)
    await nodes.other.streams.trim(key, ids[2] ?? '')
    expect(await nodes.valuesOf(key)).toEqual(['4', '5'])
    await nodes.other.streams.trim(key, ids[0] ?? '')
    expect(await nodes.valuesOf(key)).toEqual(['4', '5'])
    await nodes.one.streams.trim(key, ids[4] ?? '')
    expect(await nodes.valuesOf(key)).toEqual([])
    const next = `${await nodes.append(key, '6')}`
    expect(ids).not.toContain(next)
    expect(await nodes.valuesOf(key, ids[4])).toEqual(['6'])
    await nodes.one.streams.trim(newKey(), '5-1')
    await expect(nodes.one.streams.trim(key, 'x')).rejects.toThrow(TypeError)
  })

  it('expires after its last entry', async () => {
    let key = ''
    let values: unknown
    let longestMs: number
    // On a busy machine a step may take as long as an entry lives: then it is repeated.
    do {
      key = newKey()
      const startedAt = performance.now()
      await nodes.append(key, '1', { ttlSeconds: 1 })
      await sleep(500)
      const renewedAt = performance.now()
      await nodes.append(key, '2', { ttlSeconds: 1 })
      const firstMs = performance.now() - startedAt
      await sleep(700)
      values = await nodes.valuesOf(key)
      longestMs = Math.max(firstMs, performance.now() - renewedAt)
    } while (longestMs >= 1000)
    expect(values).toEqual(['1', '2'])
    await sleep(500)
    expect(await nodes.valuesOf(key)).toEqual([])
    expect(await nodes.one.streams.last(key)).toBe('0')
  })
}

function refusals(nodes: Nodes, { expect, it }: TestRunner): void {
  it('refuses malformed ids and numbers out of range', async () => {
    const key = newKey()
    for (const id of ['', 'a', '1-', '-1', '1-2-3', '(1', '+', '$', '1'.repeat(16)]) {
      await expect(nodes.one.streams.read(key, id), id).rejects.toThrow(TypeError)
      const follow = nodes.one.streams.follow([key], () => undefined, { [key]: id })
      await expect(follow, id).rejects.toThrow(TypeError)
    }
    for (const number of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 10 ** 15]) {
      await expect(nodes.append(key, '1', { maxLength: number })).rejects.toThrow(RangeError)
      await expect(nodes.append(key, '1', { maxBytes: number })).rejects.toThrow(RangeError)
      await expect(nodes.append(key, '1', { sequence: number })).rejects.toThrow(RangeError)
      await expect(nodes.one.streams.read(key, '0', number)).rejects.toThrow(RangeError)
    }
    await expect(nodes.append(key, '1', { ttlSeconds: 0 })).rejects.toThrow(RangeError)
    expect(await nodes.one.streams.last(key)).toBe('0')
  })
}
