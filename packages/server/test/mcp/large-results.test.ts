/** Results of a few megabytes arrive complete, whatever was sent before them. */

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { defineServer, defineTool } from '../../src/index.ts'
import { startTestServer, type TestServer } from '../../src/testing/index.ts'
import { responseTo } from '../support/event-reader.ts'
import { initializeSse, openSse, sendSse } from '../support/sse.ts'
import { connect, post, postModern, read, request } from '../support/wire.ts'

const SIZE = 3_000_000

const large = defineTool({
  name: 'large',
  description: 'Returns a large text, after what was asked for.',
  input: z.object({ first: z.enum(['nothing', 'log', 'progress', 'delay']) }),
  output: z.object({ text: z.string() }),
  async run({ input, client, progress }) {
    if (input.first === 'log') await client.log('info', 'first')
    if (input.first === 'progress') await progress(1, 2)
    if (input.first === 'delay') await delay(500)
    return { text: 'x'.repeat(SIZE) }
  },
})

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ server: defineServer({ name: 'large' }), tools: [large] })
})
afterAll(() => server.stop())

const FIRST = ['nothing', 'log', 'progress', 'delay']
const textOf = (message: { readonly result?: Record<string, unknown> }) =>
  (message.result?.structuredContent as { text: string } | undefined)?.text.length
const paramsOf = (first: string) => ({ name: 'large', arguments: { first } })

test.each(FIRST)('in the 2025 era, after %s', async (first) => {
  const headers = await connect(server.url)
  const params = { ...paramsOf(first), _meta: { progressToken: 'p' } }
  const { message } = await read(post(server.url, request('tools/call', params), headers))
  expect(textOf(message)).toBe(SIZE)
})

test.each(FIRST)('in the 2025 era without a progress token, after %s', async (first) => {
  const headers = await connect(server.url)
  const call = request('tools/call', paramsOf(first))
  const { message } = await read(post(server.url, call, headers))
  expect(textOf(message)).toBe(SIZE)
})

test.each(FIRST)('in the 2026 era, after %s', async (first) => {
  const meta = { progressToken: 'p', 'io.modelcontextprotocol/logLevel': 'debug' }
  const answer = postModern(server.url, 'tools/call', paramsOf(first), { meta })
  expect(textOf((await read(answer)).message)).toBe(SIZE)
})

test.each(FIRST)('over HTTP+SSE, after %s', async (first) => {
  const { stream, path } = await initializeSse(await openSse(server.url), [server.url])
  for (const id of ['one', 'two']) {
    const call = request('tools/call', { ...paramsOf(first), _meta: { progressToken: id } }, id)
    expect((await sendSse(server.url, path, call)).status).toBe(202)
    const { message } = await stream.until(responseTo(id))
    expect(textOf(message ?? {})).toBe(SIZE)
  }
  stream.close()
})
