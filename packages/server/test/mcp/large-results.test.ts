/** Results of a few megabytes arrive complete, whatever was sent before them. */

import { once } from 'node:events'
import { connect as openSocket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { defineServer, defineTool } from '../../src/index.ts'
import { startTestServer, type TestServer } from '../../src/testing/index.ts'
import { responseTo } from '../support/event-reader.ts'
import { initializeSse, openSse, sendSse } from '../support/sse.ts'
import { connect, INITIALIZE, post, postModern, read, request } from '../support/wire.ts'

const SIZE = 3_000_000

/** How many calls have ended. */
let finished = 0

const large = defineTool({
  name: 'large',
  description: 'Returns a large text, after what was asked for.',
  input: z.object({ first: z.enum(['nothing', 'log', 'progress', 'delay']), size: z.number() }),
  output: z.object({ text: z.string() }),
  async run({ input, client, progress }) {
    if (input.first === 'log') await client.log('info', 'first')
    if (input.first === 'progress') await progress(1, 2)
    if (input.first === 'delay') await delay(500)
    finished += 1
    return { text: 'x'.repeat(input.size) }
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
const paramsOf = (first: string, size = SIZE) => ({ name: 'large', arguments: { first, size } })

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

test('over HTTP+SSE, results that wait for a client that does not read arrive once it does', async () => {
  const { hostname, port, host } = new URL(server.url)
  const socket = openSocket(Number(port), hostname)
  socket.write(`GET /sse HTTP/1.1\r\nhost: ${host}\r\naccept: text/event-stream\r\n\r\n`)
  let text = ''
  const take = (chunk: Buffer) => {
    text += chunk.toString('latin1')
  }
  socket.on('data', take)
  await expect.poll(() => text).toContain('event: endpoint')
  const [, path = ''] = /^data: (\S+)/m.exec(text) ?? []
  const params = { ...INITIALIZE.params, protocolVersion: '2024-11-05' }
  await sendSse(server.url, path, { ...INITIALIZE, params })
  await expect.poll(() => text).toContain('serverInfo')

  socket.pause()
  // Above the buffers of a socket, and within the 16 MiB of the session's log.
  const size = 1_200_000
  const ids = ['a', 'b', 'c', 'd', 'e', 'f']
  for (const id of ids) {
    const before = finished
    await sendSse(server.url, path, request('tools/call', paramsOf('nothing', size), id))
    await expect.poll(() => finished).toBe(before + 1)
  }
  const ended = once(socket, 'close').then(() => 'closed')
  socket.resume()
  await expect.poll(() => text.length).toBeGreaterThan(ids.length * size)
  const seen = () => [...text.matchAll(/"id":"(\w)"/g)].map(([, id]) => id)
  await expect.poll(seen).toEqual(ids)
  expect(await Promise.race([ended, 'open'])).toBe('open')
  socket.destroy()
})
