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

it('takes a document that could not be fetched for no absent one', async () => {
  const documents = documentsWhere([
    '{"rev":1,"a":1}',
    new ErrorReply('ERR upstream failure'),
    null,
  ])
  const [found, failed, absent] = await Promise.allSettled(
    ['one', 'two', 'three'].map((key) => documents.get(key)),
  )
  expect(found).toMatchObject({ value: { a: 1, rev: 1 } })
  expect(failed).toMatchObject({ reason: UNAVAILABLE })
  expect(absent).toMatchObject({ value: undefined })
})

it.each([null, 'text', []])('fails for everybody where the reply is %j', async (reply) => {
  const documents = documentsWhere(reply)
  const asking = ['one', 'two'].map((key) => documents.get(key))
  for (const { status } of await Promise.allSettled(asking)) expect(status).toBe('rejected')
})

it('fails for who asked for something that cannot be read, and for nobody else', async () => {
  const documents = documentsWhere(['{"rev":1,"a":1}', '{"rev":1,', '{"rev":2}'])
  const [first, second, third] = await Promise.allSettled(
    ['one', 'two', 'three'].map((key) => documents.get(key)),
  )
  expect(first).toMatchObject({ value: { a: 1 } })
  expect(second).toMatchObject({ status: 'rejected', reason: expect.any(SyntaxError) })
  expect(third).toMatchObject({ value: { rev: 2 } })
})
