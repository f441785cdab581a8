/** Replies of a proxy in front of several servers to a read of many documents. */

import { ErrorReply } from '@redis/client'
import { expect, it } from 'vitest'
import { storeUnavailable } from '../../src/errors.ts'
import type { RedisConnection } from '../../src/store/redis-connection.ts'
import { createJsonDocuments } from '../../src/store/redis-json-documents.ts'
import { createStringDocuments } from '../../src/store/redis-string-documents.ts'

const UNAVAILABLE = { code: 'unavailable' }

function documentsWhere(reply: unknown) {
  const unused = async () => expect.fail('not expected')
  const redis: RedisConnection = { command: async () => reply, script: unused, close: unused }
  return createStringDocuments(redis)
}

const KEYS = ['{s}:one', '{s}:two', '{s}:three']

it('does not treat a document that could not be fetched as absent', async () => {
  const failure = new ErrorReply('ERR upstream failure')
  const { getAll } = documentsWhere(['{"rev":1,"a":1}', failure, null])
  await expect(getAll(KEYS)).rejects.toMatchObject(UNAVAILABLE)
  const absent = documentsWhere(['{"rev":1,"a":1}', null, null])
  expect(await absent.getAll(KEYS)).toEqual([{ a: 1, rev: 1 }, undefined, undefined])
})

it.each([null, 'text'])('fails where the reply is %j', async (reply) => {
  await expect(documentsWhere(reply).getAll(KEYS)).rejects.toMatchObject(UNAVAILABLE)
})

it('fails where the reply has too few documents', async () => {
  await expect(documentsWhere([]).getAll(KEYS)).rejects.toMatchObject(UNAVAILABLE)
})

it('fails for a document that cannot be read', async () => {
  const documents = documentsWhere(['{"rev":1,"a":1}', '{"rev":1,', null])
  await expect(documents.getAll(KEYS)).rejects.toThrow(SyntaxError)
})

it('reads one by one if it may not read several', async () => {
  const commands: string[] = []
  const redis: RedisConnection = {
    async command([name = '', key = '']) {
      commands.push(`${name} ${key}`)
      if (name === 'MGET') throw new ErrorReply('NOPERM this user has no permissions')
      return key === '{s}:one' ? '{"rev":1}' : null
    },
    script: async () => expect.fail('not expected'),
    close: async () => undefined,
  }
  const { getAll } = createStringDocuments(redis)
  expect(await getAll(KEYS)).toEqual([{ rev: 1 }, undefined, undefined])
  expect(await getAll(KEYS.slice(1))).toEqual([undefined, undefined])
  expect(commands.filter((each) => each.startsWith('MGET'))).toHaveLength(1)
})

it('reads one by one if a proxy answers with a refusal for each of several', async () => {
  const commands: string[] = []
  const redis: RedisConnection = {
    async command([name = '', ...keys]) {
      commands.push(name)
      if (name === 'GET') return keys[0] === '{s}:one' ? '{"rev":1}' : null
      return keys.map(() => new ErrorReply('NOPERM this user has no permissions'))
    },
    script: async () => expect.fail('not expected'),
    close: async () => undefined,
  }
  const { getAll } = createStringDocuments(redis)
  expect(await getAll(KEYS)).toEqual([{ rev: 1 }, undefined, undefined])
  expect(await getAll(KEYS)).toEqual([{ rev: 1 }, undefined, undefined])
  expect(commands.filter((name) => name === 'MGET')).toHaveLength(1)
})

it('reads one by one while a slot moves, and together afterwards', async () => {
  const commands: string[] = []
  let isMoving = true
  const redis: RedisConnection = {
    async command([name = '', ...keys]) {
      commands.push(name)
      if (name === 'GET') return keys[0] === '{s}:one' ? '{"rev":1}' : null
      if (isMoving) throw storeUnavailable(new ErrorReply('TRYAGAIN Multiple keys request'))
      return ['{"rev":1}', null, null]
    },
    script: async () => expect.fail('not expected'),
    close: async () => undefined,
  }
  const { getAll } = createStringDocuments(redis)
  expect(await getAll(KEYS)).toEqual([{ rev: 1 }, undefined, undefined])
  isMoving = false
  expect(await getAll(KEYS)).toEqual([{ rev: 1 }, undefined, undefined])
  expect(commands).toEqual(['MGET', 'GET', 'GET', 'GET', 'MGET'])
})

/** Several slots: each document is its key. */
function slots(isSharded: boolean) {
  const commands: string[][] = []
  const redis: RedisConnection = {
    async command([name, ...rest]) {
      const keys = rest.filter((key) => key !== '.')
      commands.push(keys)
      const isOneSlot = new Set(keys.map((key) => /\{(.*)\}/.exec(key)?.[1])).size === 1
      if (isSharded && !isOneSlot && name === 'MGET') {
        throw new ErrorReply("CROSSSLOT Keys in request don't hash to the same slot")
      }
      // RedisJSON silently finds nothing in other slots.
      const texts = keys.map((key) => JSON.stringify({ rev: 1, key }))
      return isSharded && !isOneSlot ? texts.map(() => null) : texts
    },
    script: async () => expect.fail('not expected'),
    close: async () => undefined,
  }
  return { redis, commands }
}

const MIXED = ['{s}:one', '{t}:two', '{s}:three']
const DOCUMENTS = MIXED.map((key) => ({ rev: 1, key }))

it('reads documents of several slots by one command if they are on one server', async () => {
  const { redis, commands } = slots(false)
  expect(await createStringDocuments(redis).getAll(MIXED)).toEqual(DOCUMENTS)
  expect(commands).toEqual([MIXED])
})

it('reads them slot by slot once that was refused', async () => {
  const { redis, commands } = slots(true)
  const { getAll } = createStringDocuments(redis)
  expect(await getAll(MIXED)).toEqual(DOCUMENTS)
  expect(await getAll(MIXED)).toEqual(DOCUMENTS)
  expect(commands.filter((keys) => keys.length === MIXED.length)).toHaveLength(1)
})

it('reads all slot by slot whose common command was refused meanwhile', async () => {
  const { redis } = slots(true)
  const { getAll } = createStringDocuments(redis)
  const found = await Promise.all([getAll(MIXED), getAll(MIXED), getAll(MIXED)])
  expect(found).toEqual([DOCUMENTS, DOCUMENTS, DOCUMENTS])
})

it('never reads JSON of several slots by one command', async () => {
  const { redis, commands } = slots(true)
  expect(await createJsonDocuments(redis).getAll(MIXED)).toEqual(DOCUMENTS)
  expect(commands).toEqual([['{s}:one', '{s}:three'], ['{t}:two']])
})
