/** Contract suite: followers of streams. */

import { setTimeout as sleep } from 'node:timers/promises'
import { listen, numbers } from './recording.ts'
import type { TestRunner } from './runner.ts'
import { MINUTE, type Nodes, newKey } from './store-nodes.ts'

const LIMITS = { maxLength: 1000, ttlSeconds: MINUTE }

export function followContract(nodes: Nodes, { describe, expect, it }: TestRunner): void {
  const append = async (key: string, value: string) =>
    `${await nodes.one.streams.append(key, value, LIMITS)}`

  describe('a follower', () => {
    it('receives what is appended from then on, in order, with its id', async () => {
      const key = newKey()
      await append(key, 'before')
      const recording = await listen(nodes.other.streams, [key])
      const ids: string[] = []
      for (const value of numbers(1, 200)) ids.push(await append(key, value))
      await recording.until(200)
      const expected = numbers(1, 200).map((value, index) => ({ key, id: ids[index], value }))
      expect(recording.received).toEqual(expected)
      await recording.close()
    })

    it('receives what many append at once', async () => {
      const key = newKey()
      const recording = await listen(nodes.other.streams, [key])
      const appended = await nodes.race((node, index) =>
        node.streams.append(key, `${index}`, LIMITS),
      )
      await recording.until(50)
      expect(recording.received.map(({ id }) => id).sort()).toEqual([...appended].sort())
      expect(recording.received).toEqual(
        (await nodes.one.streams.read(key, '0')).map((entry) => ({ key, ...entry })),
      )
      await recording.close()
    })

    it('catches up from the ids it is given', async () => {
      const [key, other] = keysOfOneSlot()
      const first = await append(key, '1')
      await append(key, '2')
      await append(other, 'before')
      const recording = await listen(nodes.other.streams, [key, other], { [key]: first })
      await append(other, 'after')
      await append(key, '3')
      await recording.until(3)
      expect(recording.values(key)).toEqual(['2', '3'])
      expect(recording.values(other)).toEqual(['after'])
      await recording.close()
    })

    it('receives all of a stream from its start on, once even if it is named twice', async () => {
      const key = newKey()
      for (const value of numbers(1, 50)) await append(key, value)
      const recording = await listen(nodes.other.streams, [key, key], { [key]: '0' })
      await recording.until(50)
      expect(recording.values()).toEqual(numbers(1, 50))
      await recording.close()
    })

    it('receives each of its streams in order, and no other', async () => {
      const [key, other, foreign] = keysOfOneSlot()
      const recording = await listen(nodes.other.streams, [key, other])
      for (const value of numbers(1, 50)) {
        await Promise.all([key, other, foreign].map((name) => append(name, value)))
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
      for (const value of numbers(1, 100)) await append(key, value)
      for (const recording of recordings) {
        await recording.until(100)
        expect(recording.values()).toEqual(numbers(1, 100))
        await recording.close()
      }
    })

    it('goes on after an exception in its callback', async () => {
      const key = newKey()
      const received: string[] = []
      const follower = await nodes.other.streams.follow([key], (_, { value }) => {
        received.push(value)
        throw new Error('A mistake of the caller.')
      })
      for (const value of numbers(1, 3)) await append(key, value)
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
      await append(key, '1')
      await sleep(50)
      expect(recording.received).toEqual([])
      await recording.close()
    })
  })
}

/** Keys of one slot, as a follower in a cluster requires. */
function keysOfOneSlot(): readonly [string, string, string] {
  const key = newKey()
  return [`${key}:a`, `${key}:b`, `${key}:c`]
}
