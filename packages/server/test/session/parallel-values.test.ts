/** A tool that stores several values at the same time, for a caller without a session. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { defineServer, defineTool } from '../../src/index.ts'
import { startTestServer, type TestServer } from '../../src/testing/index.ts'
import { postModern, read } from '../support/wire.ts'

const NAMES = ['a', 'b', 'c', 'd']

const keep = defineTool({
  name: 'keep',
  description: 'Stores values at the same time, and returns what it reads afterwards.',
  input: z.object({ size: z.number() }),
  output: z.object({ read: z.array(z.string()), refused: z.number() }),
  requires: { session: true },
  async run({ input: { size }, session }) {
    const writes = NAMES.map((name) => session.set(name, name.repeat(size)))
    const outcomes = await Promise.allSettled(writes)
    return {
      read: NAMES.map((name) => String(session.get(name)).slice(0, 1)),
      refused: outcomes.filter(({ status }) => status === 'rejected').length,
    }
  },
})

const recall = defineTool({
  name: 'recall',
  description: 'Returns the names of the values.',
  input: z.object({}),
  output: z.object({ names: z.array(z.string()) }),
  requires: { session: true },
  run: async ({ session }) => ({
    names: NAMES.filter((name) => session.get(name) !== undefined),
  }),
})

const forget = defineTool({
  name: 'forget',
  description: 'Stores a value and removes it.',
  input: z.object({}),
  output: z.object({ before: z.string(), isGone: z.boolean() }),
  requires: { session: true },
  async run({ session }) {
    await session.set('a', 'kept')
    const before = String(session.get('a'))
    await session.set('a', undefined)
    return { before, isGone: session.get('a') === undefined }
  },
})

let server: TestServer
beforeAll(async () => {
  const env = { SESSION_DATA_LIMIT_BYTES: '1024' }
  server = await startTestServer({
    ...{ server: defineServer({ name: 'acme' }), tools: [keep, recall, forget], env },
  })
})
afterAll(() => server.stop())

async function call(name: string, input: object) {
  const { message } = await read(postModern(server.url, 'tools/call', { name, arguments: input }))
  const { structuredContent, _meta } = message.result ?? {}
  const handle = (_meta as Record<string, unknown> | undefined)?.['mcp-template/session']
  return { ...(structuredContent as object), handle }
}

test('all are in one session, and can be read in the same run', async () => {
  const { handle, ...kept } = await call('keep', { size: 1 })
  expect(kept).toEqual({ read: NAMES, refused: 0 })
  expect(await call('recall', { session: handle })).toMatchObject({ names: NAMES })
})

test('the value undefined removes one', async () => {
  expect(await call('forget', {})).toMatchObject({ before: 'kept', isGone: true })
})

test('together they have the limit of the session', async () => {
  const { handle, ...kept } = await call('keep', { size: 400 })
  expect(kept).toEqual({ read: ['a', 'b', 'u', 'u'], refused: 2 })
  expect(await call('recall', { session: handle })).toMatchObject({ names: ['a', 'b'] })
})
