/** Concurrent patches of one document that is a string: one at a time in a process. */

import { expect, it } from 'vitest'
import { storeUnavailable } from '../../src/errors.ts'
import type { RedisConnection } from '../../src/store/redis-connection.ts'
import { createStringDocuments } from '../../src/store/redis-string-documents.ts'

const COUNT = 200

/** A Redis with one document. */
function redisWith(document: string) {
  let text = document
  const sent = { reads: 0, writes: 0 }
  let isAvailable = true
  const check = async () => {
    await new Promise(setImmediate)
    if (!isAvailable) throw storeUnavailable()
  }
  const redis: RedisConnection = {
    async command() {
      sent.reads += 1
      await check()
      return text
    },
    async script(_script, _keys, [seen, next = '']) {
      sent.writes += 1
      await check()
      if (seen !== text) return [0, text]
      text = next
      return [1]
    },
    close: async () => undefined,
  }
  return {
    ...{ redis, sent },
    text: () => JSON.parse(text),
    fail: () => {
      isAvailable = false
    },
  }
}

const indices = Array.from({ length: COUNT }, (_, at) => at)

it('are written once each', async () => {
  const { redis, sent, text } = redisWith('{"rev":1}')
  const { patch } = createStringDocuments(redis)
  const outcomes = await Promise.all(indices.map((at) => patch('key', { [`field${at}`]: at })))
  expect(outcomes).toEqual(indices.map((at) => ({ outcome: 'written', rev: at + 2 })))
  expect(sent).toEqual({ reads: COUNT, writes: COUNT })
  expect(Object.keys(text())).toHaveLength(COUNT + 1)
})

it('by several processes are all written', async () => {
  const { redis, sent, text } = redisWith('{"rev":1}')
  const processes = [createStringDocuments(redis), createStringDocuments(redis)]
  const all = processes.flatMap(({ patch }, process) =>
    indices.map((at) => patch('key', { [`field${process}-${at}`]: at })),
  )
  await Promise.all(all)
  expect(text().rev).toBe(2 * COUNT + 1)
  expect(sent.writes).toBeLessThan(5 * COUNT)
})

it('fail together while Redis is unavailable, without a command each', async () => {
  const { redis, sent, fail } = redisWith('{"rev":1}')
  const { patch } = createStringDocuments(redis)
  fail()
  const outcomes = await Promise.allSettled(indices.map((at) => patch('key', { field: at })))
  expect(outcomes.map(({ status }) => status)).toEqual(indices.map(() => 'rejected'))
  expect(sent).toEqual({ reads: 1, writes: 0 })
})

it('do not fail because of a change that cannot be made', async () => {
  const { redis, text } = redisWith('{"rev":1}')
  const { patch } = createStringDocuments(redis)
  const wrong = patch('key', { 'no.parent': 1 })
  const right = patch('key', { field: 1 })
  await expect(wrong).rejects.toThrow(TypeError)
  expect(await right).toEqual({ outcome: 'written', rev: 2 })
  expect(text()).toEqual({ rev: 2, field: 1 })
})
