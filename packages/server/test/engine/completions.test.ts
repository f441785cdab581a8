/** What `complete` of a resource or a prompt returns. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { defineResource, defineServer, defineTool, ToolError } from '../../src/index.ts'
import { startTestServer, type TestServer } from '../../src/testing/index.ts'
import { postModern, read, sendRequest } from '../support/wire.ts'

const VALUES: Readonly<Record<string, unknown>> = {
  list: ['a', 'b'],
  numbers: [1, 2],
  none: [],
  text: 'abc',
  nothing: undefined,
  set: new Set(['a']),
  objects: [{ value: 'a' }],
  null: [null, 'a'],
}

const resource = defineResource({
  name: 'probe',
  uri: 'probe://{kind}',
  complete: { kind: (typed) => VALUES[typed] as string[] },
  read: async () => 'x',
})

const failing = defineTool({
  name: 'failing',
  description: 'Fails with a long message.',
  input: z.object({}),
  output: z.object({}),
  run: async () => Promise.reject(new ToolError('é'.repeat(10_000))),
})

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({
    ...{ server: defineServer({ name: 'acme' }), resources: [resource], tools: [failing] },
    env: { RESULT_LIMIT_BYTES: '2000' },
  })
})
afterAll(() => server.stop())

const complete = (value: string) =>
  sendRequest(server.url, '2025-11-25', 'completion/complete', {
    ref: { type: 'ref/resource', uri: 'probe://{kind}' },
    argument: { name: 'kind', value },
  })

test.each([
  ['list', ['a', 'b']],
  ['numbers', ['1', '2']],
  ['none', []],
])('%s: texts, or numbers', async (kind, values) => {
  expect((await complete(kind)).message.result).toMatchObject({ completion: { values } })
})

test.each(['text', 'nothing', 'set', 'objects', 'null'])('%s is refused', async (kind) => {
  const before = server.log().length
  expect((await complete(kind)).message.error).toMatchObject({ code: -32603 })
  const lines = JSON.stringify(server.log().slice(before))
  expect(lines).toContain('complete must return a list of texts')
})

test('the message of an error is cut at the limit of a result', async () => {
  const { message } = await read(
    postModern(server.url, 'tools/call', { name: 'failing', arguments: {} }),
  )
  const [block] = (message.result?.content ?? []) as { text: string }[]
  expect(block?.text).toBe('é'.repeat(1000))
})
