/** Clients that do not read their responses: each keeps its slot, so that their memory is bounded. */

import { once } from 'node:events'
import { connect as openSocket, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { defineServer, defineTool } from '../../src/index.ts'
import { startTestServer, type TestServer } from '../../src/testing/index.ts'
import { responseTo } from '../support/event-reader.ts'
import { initializeSse, openSse, sendSse } from '../support/sse.ts'
import { connect, envelope, post, postModern, read, request } from '../support/wire.ts'

/** More than the buffers of a socket take. */
const SIZE = 9_000_000
const MAX_STREAMS = 3

const large = defineTool({
  name: 'large',
  description: 'Returns a text of a length, after a log message or none.',
  input: z.object({ log: z.boolean(), size: z.number() }),
  output: z.object({ text: z.string() }),
  async run({ input, client }) {
    if (input.log) await client.log('info', 'first')
    return { text: 'x'.repeat(input.size) }
  },
})

const chatty = defineTool({
  name: 'chatty',
  description: 'Logs more than a client that does not read can buffer.',
  input: z.object({}),
  output: z.object({}),
  timeoutSeconds: 60,
  async run({ client, signal }) {
    for (let count = 0; count < 12; count += 1) {
      await client.log('info', 'x'.repeat(1_000_000))
      await delay(20)
    }
    await delay(2000, undefined, { signal })
    return {}
  },
})

let server: TestServer
beforeAll(async () => {
  const env = { MAX_STREAMS: String(MAX_STREAMS) }
  server = await startTestServer({
    server: defineServer({ name: 'large' }),
    tools: [large, chatty],
    env,
  })
})
afterAll(() => server.stop())

const paramsOf = (log: boolean, size: number) => ({ name: 'large', arguments: { log, size } })

test.each([
  ['JSON', false],
  ['an event stream', true],
])('in the 2025 era, of %s', async (_what, log) => {
  const session = await connect(server.url)
  const messageOf = (size: number) => request('tools/call', paramsOf(log, size))
  await expectSlots(session, messageOf, () => post(server.url, messageOf(1), session))
})

/** A call with a progress token is served by the SDK. */
const PROGRESS = { progressToken: 'p' }

test.each([
  ['JSON', false],
  ['an event stream', true],
])('in the 2025 era, of %s through the SDK', async (_what, log) => {
  const session = await connect(server.url)
  const messageOf = (size: number) =>
    request('tools/call', { ...paramsOf(log, size), _meta: PROGRESS })
  await expectSlots(session, messageOf, () => post(server.url, messageOf(1), session))
})

test.each([
  ['', {}],
  [' through the SDK', PROGRESS],
])('in the 2026 era%s', async (_how, meta) => {
  const headers = {
    ...{ 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'large' },
  }
  const messageOf = (size: number) =>
    request('tools/call', { ...paramsOf(false, size), _meta: { ...envelope(), ...meta } })
  await expectSlots(headers, messageOf, () =>
    postModern(server.url, 'tools/call', paramsOf(false, 1), { meta }),
  )
})

test.each([
  ['on the fast path', {}],
  ['through the SDK', { _meta: PROGRESS }],
])(
  'in the 2025 era, %s, who does not read the events of a call is disconnected',
  async (_how, more) => {
    const print = vi.spyOn(console, 'error').mockReturnValue()
    onTestFinished(() => print.mockRestore())
    const session = await connect(server.url)
    const message = request('tools/call', { name: 'chatty', arguments: {}, ...more })
    const text = JSON.stringify(message)
    const sockets = await Promise.all(
      Array.from({ length: MAX_STREAMS }, () => openUnread(session, text)),
    )
    const call = () => read(post(server.url, request('tools/call', paramsOf(false, 1)), session))
    // The slots are released although the clients have closed nothing.
    await expect.poll(async () => (await call()).status).toBe(200)
    expect(print).not.toHaveBeenCalled()
    for (const socket of sockets) socket.destroy()
  },
)

test('who does not read a stream that a newer one replaces is disconnected', async () => {
  const { stream, path, id } = await initializeSse(await openSse(server.url), [server.url])
  for (let call = 0; call < 8; call += 1) {
    await sendSse(server.url, path, request('tools/call', paramsOf(false, 900_000), call))
    await stream.until(responseTo(call))
  }
  stream.close()
  const openSockets = () =>
    process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length
  const before = openSockets()
  const replays: Socket[] = []
  for (let count = 0; count < 30; count += 1) {
    // Eight results from the first event on: more than the buffers of a socket take.
    const from = {
      accept: 'text/event-stream',
      connection: 'close',
      'last-event-id': `${id}.s.0-0.0-0`,
    }
    replays.push(await openPaused(`GET ${path.replace('/messages', '/sse')}`, from))
  }
  // The sockets of the client, and that of the newest stream at the server.
  await expect.poll(openSockets).toBeLessThan(before + replays.length + 5)
  for (const socket of replays) socket.destroy()
})

async function expectSlots(
  headers: Readonly<Record<string, string>>,
  messageOf: (size: number) => unknown,
  call: () => Promise<Response>,
): Promise<void> {
  const message = JSON.stringify(messageOf(SIZE))
  const sockets = await Promise.all(
    Array.from({ length: MAX_STREAMS }, () => openUnread(headers, message)),
  )
  expect((await read(call())).status).toBe(429)
  for (const socket of sockets) socket.destroy()
  await expect.poll(async () => (await read(call())).status).toBe(200)
}

/** Posts a message, and stops reading at the first bytes of the response. */
function openUnread(headers: Readonly<Record<string, string>>, message: string) {
  const fields = {
    ...{ accept: 'application/json, text/event-stream', ...headers },
    ...{ 'content-type': 'application/json', 'content-length': String(message.length) },
  }
  return openPaused('POST /mcp', fields, message)
}

async function openPaused(
  start: string,
  headers: Readonly<Record<string, string>>,
  body = '',
): Promise<Socket> {
  const { hostname, port, host } = new URL(server.url)
  const socket = openSocket(Number(port), hostname)
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`${start} HTTP/1.1\r\n${lines.join('')}\r\n${body}`)
  const [head] = (await once(socket, 'data')) as [Buffer]
  socket.pause()
  socket.on('error', () => undefined)
  expect(head.toString()).toMatch(/^HTTP\/1\.1 200 /)
  return socket
}
