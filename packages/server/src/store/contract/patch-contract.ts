/** Contract suite: changes of single fields. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { TestRunner } from './runner.ts'
import { everyKindOfValue } from './sample-values.ts'
import { MINUTE, type Nodes, untilGone, within } from './store-nodes.ts'

export function patchContract(nodes: Nodes, runner: TestRunner): void {
  runner.describe('patch', () => {
    fields(nodes, runner)
    concurrentWriters(nodes, runner)
    expiry(nodes, runner)
    refusals(nodes, runner)
  })
}

function fields(nodes: Nodes, { expect, it }: TestRunner): void {
  it('changes the named fields and no others', async () => {
    const key = await nodes.given({ a: 1, b: { c: [1], 'd-e': 2 } })
    const outcome = await nodes.one.patch(key, { a: 'x', 'b.d-e': null, 'b.7': true })
    expect(outcome).toEqual({ outcome: 'written', rev: 2 })
    const expected = { a: 'x', b: { c: [1], 'd-e': null, 7: true }, rev: 2 }
    expect(await nodes.other.get(key)).toEqual(expected)
  })

  it('adds and removes fields', async () => {
    const key = await nodes.given({ a: 1, b: 2 })
    await nodes.one.patch(key, { a: undefined, c: 3, absent: undefined })
    expect(await nodes.one.get(key)).toEqual({ b: 2, c: 3, rev: 2 })
  })

  it('counts the revision on whatever the fields are named', async () => {
    const key = await nodes.given({ 0: 'digits come first in JavaScript', a: 1 })
    await nodes.one.patch(key, { a: 2 })
    await nodes.one.set(key, { 1: 'again' }, MINUTE)
    expect(await nodes.one.patch(key, { a: 3 })).toEqual({ outcome: 'written', rev: 4 })
  })

  it('keeps empty lists, floats, Unicode and big fields intact', async () => {
    const value = { ...everyKindOfValue(), big: 'ö'.repeat(500_000) }
    const key = await nodes.given(value)
    await nodes.one.patch(key, { changed: everyKindOfValue() })
    const expected = { ...value, changed: everyKindOfValue(), rev: 2 }
    expect(await nodes.one.get(key)).toEqual(expected)
  })
}

function concurrentWriters(nodes: Nodes, { expect, it }: TestRunner): void {
  it('refuses when somebody else wrote first', async () => {
    const key = await nodes.given({ a: 1 })
    expect(await nodes.one.patch(key, { a: 2 }, { ifRev: 1 })).toMatchObject({ rev: 2 })
    expect(await nodes.other.patch(key, { a: 3 }, { ifRev: 1 })).toEqual({ outcome: 'conflict' })
    expect(await nodes.one.get(key)).toEqual({ a: 2, rev: 2 })
  })

  it('lets one of 50 guarded writers win', async () => {
    const key = await nodes.given({ by: -1 })
    const outcomes = await nodes.race((node, by) => node.patch(key, { by }, { ifRev: 1 }))
    expect(outcomes.filter(({ outcome }) => outcome === 'written')).toHaveLength(1)
    expect(outcomes.filter(({ outcome }) => outcome === 'conflict')).toHaveLength(49)
    const by = outcomes.findIndex(({ outcome }) => outcome === 'written')
    expect(await nodes.one.get(key)).toEqual({ by, rev: 2 })
  })

  it('loses none of 50 writers of different fields', async () => {
    const key = await nodes.given({ data: {} })
    await nodes.race((node, index) => node.patch(key, { [`data.f${index}`]: index }))
    const data = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`f${index}`, index]))
    expect(await nodes.one.get(key)).toEqual({ data, rev: 51 })
  })
}

function expiry(nodes: Nodes, { expect, it }: TestRunner): void {
  it('keeps the remaining time-to-live', async () => {
    const [key, found] = await within(2000, async () => {
      const given = await nodes.given({ a: 1 }, 2)
      await nodes.one.patch(given, { a: 2 })
      return [given, await nodes.one.get(given)] as const
    })
    expect(found).toBeDefined()
    await untilGone(nodes.one, key)
  })

  it('sets a new time-to-live when it is given one', async () => {
    const key = await within(200, async () => {
      const given = await nodes.given({ a: 1 }, 0.2)
      await nodes.one.patch(given, { a: 2 }, { ttlSeconds: MINUTE })
      return given
    })
    await sleep(300)
    expect(await nodes.one.get(key)).toEqual({ a: 2, rev: 2 })
  })
}

function refusals(nodes: Nodes, { expect, it }: TestRunner): void {
  it('refuses paths that are malformed, reserved or overlap', async () => {
    const key = await nodes.given({ a: {} })
    const names = ['', '.', 'a.', 'a..b', 'a b', 'a"]', '$', 'ä', 'rev', 'rev.a']
    const prototypes = ['__proto__', 'a.__proto__', 'constructor.prototype.x', 'a.prototype']
    for (const name of [...names, ...prototypes]) {
      await expect(nodes.one.patch(key, { [name]: 1 }), name).rejects.toThrow(TypeError)
    }
    await expect(nodes.one.patch(key, { a: {}, 'a.b': 1 })).rejects.toThrow(TypeError)
    expect(await nodes.one.get(key)).toEqual({ a: {}, rev: 1 })
  })

  it('writes nothing when a parent is missing or is no object', async () => {
    const key = await nodes.given({ a: 1, list: [{}] })
    for (const name of ['absent.b', 'a.b', 'list.0', 'list.0.b', 'toString.b']) {
      await expect(nodes.one.patch(key, { a: 2, [name]: 1 }), name).rejects.toThrow(TypeError)
    }
    expect(await nodes.one.get(key)).toEqual({ a: 1, list: [{}], rev: 1 })
  })
}
