/** What a tool passes to its client by mistake: the same on the fast path and through the SDK. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineServer, defineTool } from '../../src/index.ts'
import { startTestServer, type TestServer } from '../../src/testing/index.ts'
import { type Answer, connect, post, postModern, read, request } from '../support/wire.ts'

const MISTAKES = ['level', 'data', 'progress', 'total'] as const

const mistaken = defineTool({
  name: 'mistaken',
  description: 'Passes an invalid argument.',
  input: z.object({ mistake: z.enum(MISTAKES) }),
  output: z.object({}),
  async run({ input: { mistake }, client, progress }) {
    if (mistake === 'level') await client.log('warn' as never, 'x')
    if (mistake === 'data') await client.log('error', undefined)
    if (mistake === 'progress') await progress(Number.NaN)
    if (mistake === 'total') await progress(1, 'two' as never)
    return {}
  },
})

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ server: defineServer({ name: 'acme' }), tools: [mistaken] })
})
afterAll(() => server.stop())

type Params = Readonly<Record<string, unknown>>

const LOG_LEVEL = { 'io.modelcontextprotocol/logLevel': 'debug' }

const ERAS: Readonly<Record<string, (params: Params, meta?: object) => Promise<Answer>>> = {
  '2026-07-28': (params, meta) =>
    read(postModern(server.url, 'tools/call', params, { meta: { ...LOG_LEVEL, ...meta } })),
  async '2025-11-25'(params, meta) {
    const message = request('tools/call', meta === undefined ? params : { ...params, _meta: meta })
    return read(post(server.url, message, await connect(server.url)))
  },
}

describe.each(Object.entries(ERAS))('in %s', (_era, call) => {
  test.each(MISTAKES)('an invalid %s fails the call, and nothing else is sent', async (mistake) => {
    const params = { name: 'mistaken', arguments: { mistake } }
    for (const meta of [undefined, { progressToken: 'p' }]) {
      const { messages, message } = await call(params, meta)
      expect(messages).toHaveLength(1)
      expect(message.result).toMatchObject({
        isError: true,
        _meta: { 'mcp-template/error': { code: 'internal_error' } },
      })
    }
  })
})
