/** Streams of the 2025 era in one process: their ids, their readers and their secrecy. */

import { connect as openSocket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import {
  createEventStream,
  formatEventId,
  parseEventId,
} from '../../src/mcp/legacy/event-stream.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'
import type { AppendOptions } from '../../src/store/streams.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { type Listening, listen, listenTo, withMethod } from '../support/event-reader.ts'
import { connect, PROTOCOL_CATALOG, post, postModern, read, request } from '../support/wire.ts'

interface Appended extends AppendOptions {
  readonly key: string
  readonly value: string
}

const appended: Appended[] = []

/** Records everything that is appended to streams. */
function recordStreams(): Store {
  const log = createLogger({ level: 'silent', name: 'test', version: '0', destination: 'stderr' })
  const store = createMemoryStore({ log })
  const append: Store['streams']['append'] = (key, value, options) => {
    appended.push({ key, value, ...options })
    return store.streams.append(key, value, options)
  }
  return { ...store, streams: { ...store.streams, append } }
}

let app: TestApp
const open: Listening[] = []
beforeAll(async () => {
  const env = { MAX_STREAMS: '4' }
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG, store: recordStreams(), env })
})
afterEach(async () => {
  for (const stream of open.splice(0)) {
    stream.close()
    await stream.ended
  }
})
afterAll(() => app.stop())

async function get(headers: Record<string, string>, lastId?: string): Promise<Listening> {
  const from = lastId === undefined ? {} : { 'last-event-id': lastId }
  const stream = await listen(`${app.url}/mcp`, { ...headers, ...from })
  open.push(stream)
  return stream
}

const echo = (text: string, delayMs = 0) =>
  request('tools/call', { name: 'echo', arguments: { text, delayMs } }, text)

describe('event ids', () => {
  test.each([
    { kind: 'call', node: '0123456789ab', call: 7, sequence: 12 },
    { kind: 'stream', own: '0', common: '1700000000000-3' },
  ] as const)('of a $kind are parsed unchanged', (id) => {
    expect(parseEventId(formatEventId(id))).toEqual(id)
  })

  test.each([
    '',
    'x',
    's.0',
    's.0.0.0',
    's.-1.0',
    's.0.1e3',
    'r.0123456789AB.1.1',
    'r.0123456789ab.1',
    `s.${'9'.repeat(16)}.0`,
    's.0.0\n',
  ])('that this server did not issue are detected: %j', (text) => {
    expect(parseEventId(text)).toBeUndefined()
  })

  test('that this server did not issue are refused; those of expired calls cannot be resumed', async () => {
    const headers = await connect(app.url)
    expect((await get(headers, 'x')).response.status).toBe(400)
    expect((await get(headers, 'r.0123456789ab.1.1')).response.status).toBe(405)
    // An id older than the log gets the whole log.
    const stream = await get(headers, 's.0.0')
    expect(stream.response.status).toBe(200)
  })
})

describe('readers', () => {
  test('that do not read are disconnected (backpressure), and nothing is buffered', () => {
    const events = createEventStream()
    let closed = 0
    events.onClose(() => {
      closed += 1
    })
    const message = { jsonrpc: '2.0', method: 'x', params: { text: 'x'.repeat(10_000) } } as const
    for (let count = 0; count < 500; count += 1) events.write(message)
    expect([events.isOpen, closed]).toEqual([false, 1])
  })

  test('that are disconnected see an aborted stream, so that they reconnect', async () => {
    const events = createEventStream()
    const message = {
      jsonrpc: '2.0',
      method: 'x',
      params: { text: 'x'.repeat(2_000_000) },
    } as const
    events.write(message)
    events.write(message)
    await expect(events.response.text()).rejects.toThrow()
  })

  test('that disconnect are removed', async () => {
    const headers = await connect(app.url)
    for (let count = 0; count < 12; count += 1) {
      const { port, host } = new URL(app.url)
      const socket = openSocket(Number(port), 'localhost')
      const fields = { host, accept: 'text/event-stream', ...headers }
      const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
      socket.write(`GET /mcp HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
      await new Promise((resolve) => socket.once('data', resolve))
      socket.destroy()
    }
    await expect.poll(async () => (await get(headers)).response.status).toBe(200)
  })
})

describe('stored stream entries', () => {
  test('are bounded, expire, and are sealed in the store', async () => {
    appended.length = 0
    const canary = 'canary-in-a-stream'
    const headers = await connect(app.url)
    const stream = await get(headers)
    const call = await listenTo((signal) => post(app.url, echo(canary, 500), headers, signal))
    await call.ended
    const cancel = { method: 'notifications/cancelled', params: { requestId: canary } }
    await read(post(app.url, { jsonrpc: '2.0', ...cancel }, headers))
    const sse = await listen(`${app.url}/sse`, {})
    open.push(sse)
    const { data: path } = await sse.until(({ event }) => event === 'endpoint')
    await fetch(app.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(echo(canary)),
    })
    await sse.until(({ message }) => message?.id === canary)
    expect((await read(postModern(app.url, 'tools/list'))).status).toBe(200)
    stream.close()

    const kinds = new Set(appended.map(({ key }) => key.replace(/\{[^}]+\}|[0-9a-f]{12}.*/g, '')))
    expect(kinds.size).toBeGreaterThanOrEqual(3)
    for (const { key, value, maxLength, ttlSeconds } of appended) {
      expect([key, maxLength <= 10_000, ttlSeconds <= 3600]).toEqual([key, true, true])
      for (const text of [canary, 'jsonrpc', 'kind', 'con_', 'ses_']) {
        expect(value).not.toContain(text)
        expect(Buffer.from(value, 'base64').toString()).not.toContain(text)
      }
    }
  })
})

test('a cancelled call also ends its stream', async () => {
  const headers = await connect(app.url)
  const call = await listenTo((signal) =>
    post(
      app.url,
      request('tools/call', { name: 'count', _meta: { progressToken: 1 } }),
      headers,
      signal,
    ),
  )
  await call.until(withMethod('notifications/progress'))
  expect(await call.ended).toBe(true)
})
