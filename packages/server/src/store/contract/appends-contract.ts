/** Contract suite: appends to streams on a condition, a sequence or a document. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { TestRunner } from './runner.ts'
import { type Nodes, newKey, STREAM_LIMITS } from './store-nodes.ts'

export function appendsContract(nodes: Nodes, runner: TestRunner): void {
  runner.describe('a sequence', () => sequences(nodes, runner))
  runner.describe('a condition', () => {
    requiredDocuments(nodes, runner)
    takenDocuments(nodes, runner)
  })
}

function sequences(nodes: Nodes, { expect, it }: TestRunner): void {
  it('becomes the id', async () => {
    const key = newKey()
    expect(await nodes.append(key, '1', { sequence: 1 })).toBe('0-1')
    expect(await nodes.append(key, '7', { sequence: 7 })).toBe('0-7')
    expect(await nodes.valuesOf(key, '0-1')).toEqual(['7'])
  })

  it('is refused when it is taken or older, even if the entry was trimmed away', async () => {
    const key = newKey()
    for (let sequence = 1; sequence <= 300; sequence += 1) {
      await nodes.append(key, `${sequence}`, { sequence, maxLength: 1 })
    }
    for (const sequence of [1, 299, 300]) {
      expect(await nodes.append(key, 'late', { sequence })).toBeUndefined()
    }
    expect((await nodes.valuesOf(key)).at(-1)).toBe('300')
  })

  it('goes to one of 50 writers', async () => {
    const key = newKey()
    const won = await nodes.race((node, index) =>
      node.streams.append(key, `${index}`, { ...STREAM_LIMITS, sequence: 1 }),
    )
    expect(won.filter((id) => id === '0-1')).toHaveLength(1)
    expect(won.filter((id) => id === undefined)).toHaveLength(49)
    expect(await nodes.valuesOf(key)).toEqual([`${won.indexOf('0-1')}`])
  })
}

function requiredDocuments(nodes: Nodes, { expect, it }: TestRunner): void {
  it('lets an entry in while its document exists', async () => {
    const document = await nodes.given({ a: 1 })
    const key = `${document}:s`
    expect(await nodes.append(key, '1', { onlyIf: document, sequence: 1 })).toBe('0-1')
    await nodes.other.delete(document)
    expect(await nodes.append(key, '2', { onlyIf: document, sequence: 2 })).toBeUndefined()
    expect(await nodes.valuesOf(key)).toEqual(['1'])
  })

  it('creates nothing when its document has been deleted or has expired', async () => {
    const deleted = await nodes.given({ a: 1 })
    await nodes.one.delete(deleted)
    const expired = await nodes.given({ a: 1 }, 0.1)
    await sleep(200)
    for (const document of [deleted, expired]) {
      expect(await nodes.append(`${document}:s`, '1', { onlyIf: document })).toBeUndefined()
      expect(await nodes.one.streams.last(`${document}:s`)).toBe('0')
    }
  })
}

function takenDocuments(nodes: Nodes, { expect, it }: TestRunner): void {
  it('takes its document along', async () => {
    const document = await nodes.given({ a: 1 })
    const key = `${document}:s`
    expect(await nodes.append(key, '1', { takes: document })).toBeDefined()
    expect(await nodes.other.get(document)).toBeUndefined()
    expect(await nodes.append(key, '2', { takes: document })).toBeUndefined()
    expect(await nodes.valuesOf(key)).toEqual(['1'])
  })

  it('leaves its document where it is when the entry is refused', async () => {
    const document = await nodes.given({ a: 1 })
    const key = `${document}:s`
    await nodes.append(key, '1', { sequence: 5 })
    expect(await nodes.append(key, '2', { sequence: 5, takes: document })).toBeUndefined()
    const onlyIf = `${document}:gone`
    expect(await nodes.append(key, '3', { sequence: 6, onlyIf, takes: document })).toBeUndefined()
    expect(await nodes.one.get(document)).toMatchObject({ a: 1 })
    expect(await nodes.valuesOf(key)).toEqual(['1'])
  })

  it('lets one of 50 writers take its document', async () => {
    const document = await nodes.given({ a: 1 })
    const key = `${document}:s`
    const won = await nodes.race((node, index) =>
      node.streams.append(key, `${index}`, { ...STREAM_LIMITS, takes: document }),
    )
    expect(won.filter((id) => id !== undefined)).toHaveLength(1)
    expect(await nodes.valuesOf(key)).toEqual([`${won.findIndex((id) => id !== undefined)}`])
  })
}
