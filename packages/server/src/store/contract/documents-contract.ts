/** Contract suite: whole documents. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { TestRunner } from './runner.ts'
import { everyKindOfValue } from './sample-values.ts'
import { MINUTE, type Nodes, newKey, within } from './store-nodes.ts'

export function documentsContract(nodes: Nodes, runner: TestRunner): void {
  const { describe, expect, it } = runner

  describe('a document', () => {
    reads(nodes, runner)
    values(nodes, runner)
    refusals(nodes, runner)
  })
  describe('set', () => replacements(nodes, runner))
  describe('create', () => creations(nodes, runner))
  describe('time-to-live', () => expiry(nodes, runner))
  describe('take', () => removals(nodes, runner))

  it('deletes', async () => {
    const key = await nodes.given({ a: 1 })
    expect(await nodes.one.delete(key)).toBe(true)
    expect(await nodes.one.get(key)).toBeUndefined()
  })

  it('answers a ping', async () => {
    await nodes.one.ping()
  })
}

function reads(nodes: Nodes, { expect, it }: TestRunner): void {
  it('is read as it was set, on every node, with its first revision', async () => {
    const key = await nodes.given({ state: 'new' })
    expect(await nodes.other.get(key)).toEqual({ state: 'new', rev: 1 })
  })

  it('is undefined when there is none', async () => {
    const key = newKey()
    expect(await nodes.one.get(key)).toBeUndefined()
    expect(await nodes.one.touch(key, MINUTE)).toBe(false)
    expect(await nodes.one.take(key)).toBeUndefined()
    expect(await nodes.one.delete(key)).toBe(false)
    expect(await nodes.one.patch(key, { a: 1 })).toEqual({ outcome: 'absent' })
    expect(await nodes.one.get(key)).toBeUndefined()
  })

  it('is read with others of its slot, in the order of their keys', async () => {
    const tag = `{${newKey()}}`
    await nodes.one.set(`${tag}:a`, { name: 'a' }, MINUTE)
    await nodes.one.set(`${tag}:c`, { name: 'c' }, MINUTE)
    const found = await nodes.other.getAll([`${tag}:c`, `${tag}:b`, `${tag}:a`])
    expect(found).toEqual([{ name: 'c', rev: 1 }, undefined, { name: 'a', rev: 1 }])
    expect(await nodes.one.getAll([`${tag}:b`])).toEqual([undefined])
  })

  it('is found among many that are asked for at once, as long as there is one', async () => {
    const keys = await Promise.all(
      Array.from({ length: 150 }, (_, index) => nodes.given({ index })),
    )
    const asked = keys.flatMap((key) => [key, newKey()])
    const found = await Promise.all(asked.map((key) => nodes.other.get(key)))
    const expected = keys.flatMap((_, index) => [{ index, rev: 1 }, undefined])
    expect(found).toEqual(expected)
  })
}

function values(nodes: Nodes, { expect, it }: TestRunner): void {
  it('keeps every kind of value', async () => {
    const value = everyKindOfValue()
    expect(await nodes.one.get(await nodes.given(value))).toEqual({ ...value, rev: 1 })
  })

  it('may have no fields', async () => {
    expect(await nodes.one.get(await nodes.given({}))).toEqual({ rev: 1 })
  })

  it('leaves out undefined fields', async () => {
    expect(await nodes.one.get(await nodes.given({ a: 1, b: undefined }))).toEqual({
      a: 1,
      rev: 1,
    })
  })

  it('replaces lone surrogates and leaves what only looks like them', async () => {
    const key = await nodes.given({ broken: 'a\ud800b', text: '\\ud800', '\udc00': 1 })
    expect(await nodes.one.get(key)).toEqual({
      broken: 'a\ufffdb',
      text: '\\ud800',
      '\ufffd': 1,
      rev: 1,
    })
  })

  it('is a copy: changing it changes nothing in the store', async () => {
    const value = { list: [1] }
    const key = await nodes.given(value)
    value.list.push(2)
    const read = await nodes.one.get<{ list: number[] }>(key)
    read?.list.push(3)
    expect(await nodes.one.get(key)).toEqual({ list: [1], rev: 1 })
  })
}

function refusals(nodes: Nodes, { expect, it }: TestRunner): void {
  it('refuses values that are no JSON or nested too deeply', async () => {
    const key = await nodes.given({ a: 1 })
    const deep = JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`)
    await expect(nodes.one.set(key, { deep }, MINUTE)).rejects.toThrow(TypeError)
    await expect(nodes.one.patch(key, { a: 2, deep })).rejects.toThrow(TypeError)
    await expect(nodes.one.patch(key, { a: () => 1 })).rejects.toThrow(TypeError)
    expect(await nodes.one.get(key)).toEqual({ a: 1, rev: 1 })
  })

  it('refuses a time-to-live that is not positive', async () => {
    for (const ttl of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(nodes.one.set(newKey(), {}, ttl)).rejects.toThrow(RangeError)
    }
  })
}

function replacements(nodes: Nodes, { expect, it }: TestRunner): void {
  it('replaces all fields and counts the revision on', async () => {
    const key = await nodes.given({ a: 1, b: 2 })
    await nodes.one.set(key, { a: 3, rev: 99 }, MINUTE)
    expect(await nodes.one.get(key)).toEqual({ a: 3, rev: 2 })
  })

  it('sets a new time-to-live', async () => {
    const key = await within(200, async () => {
      const given = await nodes.given({ a: 1 }, 0.2)
      await nodes.one.set(given, { a: 2 }, MINUTE)
      return given
    })
    await sleep(300)
    expect(await nodes.one.get(key)).toEqual({ a: 2, rev: 2 })
  })
}

function creations(nodes: Nodes, { expect, it }: TestRunner): void {
  it('writes once', async () => {
    const key = newKey()
    expect(await nodes.one.create(key, { by: 'first' }, MINUTE)).toBe(true)
    expect(await nodes.other.create(key, { by: 'second' }, MINUTE)).toBe(false)
    expect(await nodes.one.get(key)).toEqual({ by: 'first', rev: 1 })
  })

  it('lets one of 50 win', async () => {
    const key = newKey()
    const won = await nodes.race((node, index) => node.create(key, { index }, MINUTE))
    expect(won.filter(Boolean)).toHaveLength(1)
    expect(await nodes.one.get(key)).toEqual({ index: won.indexOf(true), rev: 1 })
  })

  it('writes again after the first has expired', async () => {
    const key = newKey()
    await nodes.one.create(key, { a: 1 }, 0.1)
    await sleep(200)
    expect(await nodes.one.create(key, { a: 2 }, MINUTE)).toBe(true)
  })
}

function expiry(nodes: Nodes, { expect, it }: TestRunner): void {
  it('ends a document', async () => {
    const key = await nodes.given({ a: 1 }, 0.1)
    await sleep(200)
    expect(await nodes.one.get(key)).toBeUndefined()
    expect(await nodes.one.patch(key, { a: 2 })).toEqual({ outcome: 'absent' })
    expect(await nodes.one.take(key)).toBeUndefined()
    expect(await nodes.one.delete(key)).toBe(false)
  })

  it('starts the revision anew', async () => {
    const key = await nodes.given({ a: 1 }, 0.1)
    await sleep(200)
    await nodes.one.set(key, { a: 2 }, MINUTE)
    expect(await nodes.one.get(key)).toEqual({ a: 2, rev: 1 })
  })

  it('slides with touch', async () => {
    const [key, isTouched] = await within(1000, async () => {
      const given = await nodes.given({ a: 1 }, 1)
      await sleep(300)
      return [given, await nodes.one.touch(given, MINUTE)] as const
    })
    expect(isTouched).toBe(true)
    await sleep(800)
    expect(await nodes.one.get(key)).toEqual({ a: 1, rev: 1 })
  })
}

function removals(nodes: Nodes, { expect, it }: TestRunner): void {
  it('reads and deletes', async () => {
    const key = await nodes.given({ a: 1 })
    expect(await nodes.one.take(key)).toEqual({ a: 1, rev: 1 })
    expect(await nodes.one.get(key)).toBeUndefined()
  })

  it('gives the document to one of 50', async () => {
    const key = await nodes.given({ code: 'once' })
    const taken = await nodes.race((node) => node.take(key))
    expect(taken.filter(Boolean)).toEqual([{ code: 'once', rev: 1 }])
  })
}
