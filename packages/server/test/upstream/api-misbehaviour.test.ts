/** An upstream that misbehaves: every case ends in a typed error, within the deadline and with bounded memory. */

import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { createApiClient } from '../../src/upstream/api-client.ts'
import { failure, setUp, tokens } from './api-client-setup.ts'
import { type Answer, json, startServer } from './misbehaving-server.ts'

const MB = 1024 * 1024

test.each([301, 302, 303, 307, 308])('a %i is not followed', async (status) => {
  const other = await startServer(json({ stolen: true }))
  const { api, server } = await setUp((res) =>
    res.writeHead(status, { location: `${other.origin}/x` }).end(),
  )
  const error = await failure(api.get('/a'))
  expect(error).toMatchObject({ code: 'upstream_bad_response', status })
  expect(server.seen).toHaveLength(1)
  expect(other.seen).toHaveLength(0)
  await other.close()
})

/** Streams megabytes until the reader disconnects; counts the sent bytes. */
function endless(megabytes: number, sent: { bytes: number }, headers = {}): Answer {
  return (res) => {
    res.writeHead(200, { 'content-type': 'application/json', ...headers })
    const chunk = Buffer.alloc(64 * 1024, 0x20)
    const push = () => {
      while (sent.bytes < megabytes * MB && !res.destroyed) {
        sent.bytes += chunk.length
        if (!res.write(chunk)) return void res.once('drain', push)
      }
      res.end()
    }
    push()
  }
}

test('a 200 MB response is aborted after the first megabyte', async () => {
  const sent = { bytes: 0 }
  const { api, server } = await setUp(endless(200, sent))
  expect((await failure(api.get('/a'))).code).toBe('upstream_too_large')
  expect(sent.bytes).toBeLessThan(20 * MB)
  expect(server.seen).toHaveLength(1)
})

test('a response that declares 200 MB is not read at all', async () => {
  const sent = { bytes: 0 }
  const { api } = await setUp(endless(200, sent, { 'content-length': 200 * MB }))
  expect((await failure(api.get('/a'))).code).toBe('upstream_too_large')
  expect(sent.bytes).toBeLessThan(20 * MB)
})

test('the limit is the configured one', async () => {
  const { api } = await setUp(json('x'.repeat(99)), { maxBytes: 100 })
  expect((await failure(api.get('/a'))).code).toBe('upstream_too_large')
})

test('a gzip bomb is refused without decompression', async () => {
  const bomb = gzipSync(Buffer.alloc(50 * MB))
  const { api, server } = await setUp((res) =>
    res
      .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      .end(bomb),
  )
  expect((await failure(api.get('/a'))).code).toBe('upstream_bad_response')
  expect(server.seen).toHaveLength(1)
})

test.each([
  ['application/json', '{"a": canary'],
  ['application/json', ''],
  ['application/json', Buffer.from([0x22, 0xff, 0x22])],
  ['text/html', '<h1>canary</h1>'],
  ['application/jsonp', 'canary()'],
])('%s with %j is a bad response', async (type, body) => {
  const { api, server } = await setUp((res) =>
    res.writeHead(200, { 'content-type': type }).end(body),
  )
  const error = await failure(api.get('/a'))
  expect(error.code).toBe('upstream_bad_response')
  expect(String(error.stack) + JSON.stringify(error)).not.toContain('canary')
  expect(server.seen).toHaveLength(1)
})

test.each([
  'canary garbage\r\n',
  'HTTP/1.1 200 OK\r\ncontent-length: canary\r\n\r\n',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\ncanary\r\n',
  `HTTP/1.1 200 OK\r\n${'x: canary\r\n'.repeat(9000)}\r\n`,
])('an answer that is not HTTP (%#) is a bad response', async (bytes) => {
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.on('data', () => socket.end(bytes)).on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const deps = { now: Date.now, sleep: async () => {}, random: Math.random }
  const options = { baseUrl: `http://127.0.0.1:${port}`, userAgent: 'test/1' }
  const client = createApiClient(options, deps)
  const error = await failure(client.forCaller(tokens('t')).get('/a'))
  expect(error.code).toBe('upstream_bad_response')
  expect(String(error.stack) + JSON.stringify(error)).not.toContain('canary')
  expect(connections).toBe(1)
  await client.close()
  server.close()
})

test('a truncated body is retried, then upstream_unreachable', async () => {
  const { api, server } = await setUp((res) => {
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
    res.write('{"a":')
    setTimeout(() => res.destroy(), 10)
  })
  expect((await failure(api.get('/a'))).code).toBe('upstream_unreachable')
  expect(server.seen).toHaveLength(3)
})

test('a slow body is aborted at the deadline', async () => {
  const { api, server } = await setUp(
    (res) => {
      res.writeHead(200, { 'content-type': 'application/json' })
      const drip = setInterval(() => res.write(' '), 20)
      res.on('close', () => clearInterval(drip))
    },
    { timeoutMs: 300 },
  )
  const start = Date.now()
  expect((await failure(api.get('/a'))).code).toBe('upstream_timeout')
  // The body never ends.
  expect(Date.now() - start).toBeLessThan(10_000)
  expect(server.seen).toHaveLength(1)
})

test('an error with a slow body is reported at once', async () => {
  const { api } = await setUp((res) => {
    res.writeHead(404, { 'content-type': 'application/json' })
    const drip = setInterval(() => res.write(' '), 20)
    res.on('close', () => clearInterval(drip))
  })
  const start = Date.now()
  expect((await failure(api.get('/a'))).code).toBe('upstream_not_found')
  // Less than the deadline.
  expect(Date.now() - start).toBeLessThan(4000)
})

test('a missing response ends at the deadline, whatever the method', async () => {
  const { api, server } = await setUp(() => {}, { timeoutMs: 1000 })
  expect((await failure(api.get('/a'))).code).toBe('upstream_timeout')
  expect((await failure(api.post('/a'))).code).toBe('upstream_timeout')
  expect(server.seen).toHaveLength(2)
})

test('a token source that hangs ends at the deadline', async () => {
  const { client, server } = await setUp(json(1), { timeoutMs: 100 })
  const api = client.forCaller({ accessToken: () => new Promise(() => {}) })
  expect((await failure(api.get('/a'))).code).toBe('upstream_timeout')
  expect(server.seen).toHaveLength(0)
})

test('a caller that cancels gets upstream_cancelled, and the request is aborted', async () => {
  const abort = new AbortController()
  let sawClose = () => {}
  const closed = new Promise<void>((resolve) => {
    sawClose = resolve
  })
  const { api } = await setUp((res) => {
    res.on('close', sawClose)
    abort.abort()
  })
  const error = await failure(api.get('/a', {}, { signal: abort.signal }))
  expect(error.code).toBe('upstream_cancelled')
  await closed
})

test('a call that was cancelled before it began sends no request', async () => {
  const { client, server } = await setUp(json(1))
  const source = tokens('t')
  const api = client.forCaller(source)
  const error = await failure(api.get('/a', {}, { signal: AbortSignal.abort() }))
  expect(error.code).toBe('upstream_cancelled')
  expect(source.requested).toHaveLength(0)
  expect(server.seen).toHaveLength(0)
})

test('a cancelled wait between retries ends at once', async () => {
  const abort = new AbortController()
  const server = await startServer(json({}, 503))
  const client = createApiClient(
    { baseUrl: server.origin, userAgent: 'test/1' },
    {
      now: Date.now,
      random: Math.random,
      sleep: () => {
        abort.abort()
        return new Promise(() => {})
      },
    },
  )
  const api = client.forCaller(tokens('t'))
  const error = await failure(api.get('/a', {}, { signal: abort.signal }))
  expect(error.code).toBe('upstream_cancelled')
  expect(server.seen).toHaveLength(1)
  await client.close()
  await server.close()
})

test('removes its listeners from a signal that outlives the call', async () => {
  const { api } = await setUp(json(1))
  const abort = new AbortController()
  let listeners = 0
  const { signal } = abort
  const { addEventListener: add, removeEventListener: remove } = signal
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++
    add.apply(signal, args)
  }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--
    remove.apply(signal, args)
  }
  for (let i = 0; i < 20; i++) await api.get('/a', {}, { signal })
  expect(listeners).toBe(0)
})
