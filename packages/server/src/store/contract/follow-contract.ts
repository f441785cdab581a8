/** Contract suite: followers of streams. */

import { setTimeout as sleep } from 'node:timers/promises'
import { listen, numbers } from './recording.ts'
import type { TestRunner } from './runner.ts'
import { type Nodes, newKey, STREAM_LIMITS } from './store-nodes.ts'

export function followContract(nodes: Nodes, runner: TestRunner): void {
  runner.describe('a follower', () => {
    newEntries(nodes, runner)
    earlierEntries(nodes, runner)
    severalAtOnce(nodes, runner)
    exceptionsAndEnd(nodes, runner)
  })
}

function newEntries(nodes: Nodes, { expect, it }: TestRunner): void {
  it('receives what is appended from then on, in order, with its id', async () => {
    const key = newKey()
    await nodes.append(key, 'before')
    const recording = await listen(nodes.other.streams, [key])
    const ids: string[] = []
    for (const value of numbers(1, 200)) ids.push(`${await nodes.append(key, value)}`)
    await recording.until(200)
    const expected = numbers(1, 200).map((value, index) => ({ key, id: ids[index], value }))
    expect(recording.received).toEqual(expected)
    await recording.close()
  })

  it('receives what many append at once', async () => {
    const key = newKey()
    const recording = await listen(nodes.other.streams, [key])
    const appended = await nodes.race((node, index) =>
      node.streams.append(key, `${index}`, STREAM_LIMITS),
    )
    await recording.until(50)
    expect(recording.received.map(({ id }) => id).sort()).toEqual([...appended].sort())
    expect(recording.received).toEqual(
      (await nodes.one.streams.read(key, '0')).map((entry) => ({ key, ...entry })),
    )
    await recording.close()
  })
}

function earlierEntries(nodes: Nodes, { expect, it }: TestRunner): void {
  it('catches up from the ids it is given', async () => {
    const [key, other] = keysOfOneSlot()
    const first = `${await nodes.append(key, '1')}`
    await nodes.append(key, '2')
    await nodes.append(other, 'before')
    const recording = await listen(nodes.other.streams, [key, other], { [key]: first })
    await nodes.append(other, 'after')
    await nodes.append(key, '3')
    await recording.until(3)
    expect(recording.values(key)).toEqual(['2', '3'])
    expect(recording.values(other)).toEqual(['after'])
    await recording.close()
  })

  it('receives all of a stream from its start on, once even if it is named twice', async () => {
    const key = newKey()
    for (const value of numbers(1, 50)) await nodes.append(key, value)
    const recording = await listen(nodes.other.streams, [key, key], { [key]: '0' })
    await recording.until(50)
    expect(recording.values()).toEqual(numbers(1, 50))
    await recording.close()
  })
}

function severalAtOnce(nodes: Nodes, { expect, it }: TestRunner): void {
  it('receives each of its streams in order, and no other', async () => {
    const [key, other, foreign] = keysOfOneSlot()
    const recording = await listen(nodes.other.streams, [key, other])
    for (const value of numbers(1, 50)) {
      await Promise.all([key, other, foreign].map((name) => nodes.append(name, value)))
    }
    await recording.until(100)
    expect(recording.values(key)).toEqual(numbers(1, 50))
    expect(recording.values(other)).toEqual(numbers(1, 50))
    expect(recording.received).toHaveLength(100)
    await recording.close()
  })

  it('is one of several that each receive every entry', async () => {
    const key = newKey()
    const { one, other } = nodes
    const recordings = await Promise.all(
      [one, other, one].map(({ streams }) => listen(streams, [key])),
    )
    for (const value of numbers(1, 100)) await nodes.append(key, value)
    for (const recording of recordings) {
      await recording.until(100)
      expect(recording.values()).toEqual(numbers(1, 100))
      await recording.close()
    }
  })
}

function exceptionsAndEnd(nodes: Nodes, { expect, it }: TestRunner): void {
  it('goes on after an exception in its callback', async () => {
    const key = newKey()
    const received: string[] = []
    const follower = await nodes.other.streams.follow([key], (_, { value }) => {
      received.push(value)
      throw new Error('A mistake of the caller.')
    })
    for (const value of numbers(1, 3)) await nodes.append(key, value)
    while (received.length < 3) await sleep(5)
    await follower.close()
    expect(received).toEqual(numbers(1, 3))
  })

  it('ends soon, twice if need be, and receives nothing afterwards', async () => {
    const key = newKey()
    const recording = await listen(nodes.other.streams, [key])
    await sleep(50)
    const startedAt = performance.now()
    await recording.close()
    expect(performance.now() - startedAt).toBeLessThan(5000)
    await nodes.append(key, '1')
    await sleep(50)
    expect(recording.received).toEqual([])
    await recording.close()
  })
}

/** Keys of one slot, as a follower in a cluster requires. */
function keysOfOneSlot(): readonly [string, string, string] {
  const key = newKey()
  return [`${key}:a`, `${key}:b`, `${key}:c`]
}
