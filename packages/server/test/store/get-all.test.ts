/** What a proxy in front of several servers may answer to a question for many documents. */

import { ErrorReply } from '@redis/client'
import { expect, it } from 'vitest'
import type { RedisConnection } from '../../src/store/redis-connection.ts'
import { createStringDocuments } from '../../src/store/redis-string-documents.ts'

const UNAVAILABLE = { code: 'unavailable' }

function documentsWhere(reply: unknown) {
  const unused = async () => expect.fail('not asked for')
  const redis: RedisConnection = { command: async () => reply, script: unused, close: unused }
  return createStringDocuments(redis)
}

const KEYS = ['{s}:one', '{s}:two', '{s}:three']

it('takes a document that could not be fetched for no absent one', async () => {
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

it('asks one by one where it may not ask for several', async () => {
  const asked: string[] = []
  const redis: RedisConnection = {
    async command([name = '', key = '']) {
      asked.push(`${name} ${key}`)
      if (name === 'MGET') throw new ErrorReply('NOPERM this user has no permissions')
      return key === '{s}:one' ? '{"rev":1}' : null
    },
    script: async () => expect.fail('not asked for'),
    close: async () => undefined,
  }
  const { getAll } = createStringDocuments(redis)
  expect(await getAll(KEYS)).toEqual([{ rev: 1 }, undefined, undefined])
  expect(await getAll(KEYS.slice(1))).toEqual([undefined, undefined])
  expect(asked.filter((each) => each.startsWith('MGET'))).toHaveLength(1)
})
