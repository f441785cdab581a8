/** Hostile bodies read as bytes and streams: bounded, ended with the call, and without leaked sockets. */

import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { failure, setUp, tokens } from './api-client-setup.ts'
import { type Answer, json } from './misbehaving-server.ts'

const MB = 1024 * 1024

interface Sending {
  bytes: number
  open: number
}

/** Sends megabytes until the reader disconnects. */
function endless(sending: Sending, status = 200, type = 'application/octet-stream'): Answer {
  return (res) => {
    sending.open += 1
    res.on('close', () => {
      sending.open -= 1
    })
    res.writeHead(status, { 'content-type': type })
    const part = Buffer.alloc(64 * 1024, 'x')
    const push = () => {
      while (!res.destroyed && sending.bytes < 200 * MB) {
        sending.bytes += part.length
        if (!res.write(part)) return void res.once('drain', push)
      }
      res.end()
    }
    push()
  }
}

const sendingNothing = (): Sending => ({ bytes: 0, open: 0 })

test.each(['bytes', 'stream', 'text'] as const)(
  'an endless body ends at maxBytes as %s',
  async (as) => {
    const sending = sendingNothing()
    const { api } = await setUp(endless(sending))
    const read = async () => {
      const body: unknown = await api.get('/a', {}, { as: as as 'bytes', maxBytes: 100_000 })
      return as === 'stream' ? new Response(body as string).arrayBuffer() : body
    }
    expect((await failure(read())).code).toBe('upstream_too_large')
    await expect.poll(() => sending.open).toBe(0)
    expect(sending.bytes).toBeLessThan(20 * MB)
  },
)

test('a refusal of 200 MB that is explained is not read beyond its bound', async () => {
  const sending = sendingNothing()
  const { api } = await setUp(endless(sending, 422, 'text/plain'))
  const explain = (_: number, body: unknown) => `read: ${body}`
  expect((await failure(api.post('/a', {}, { explain }))).message).toBe('read: undefined')
  await expect.poll(() => sending.open).toBe(0)
  expect(sending.bytes).toBeLessThan(20 * MB)
})

test('a gzip bomb is returned unchanged, not decompressed', async () => {
  const bomb = gzipSync(Buffer.alloc(20 * MB))
  const { api } = await setUp((res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb))
  const { headers, body } = await api.request('GET', '/a', {}, { as: 'bytes' })
  expect(headers['content-encoding']).toBe('gzip')
  expect(body).toHaveLength(bomb.length)
  expect((await failure(api.get('/a', {}, { as: 'text' }))).code).toBe('upstream_bad_response')
})

test('a Content-Length above the limit is refused unread, a wrong one is unreachable', async () => {
  const { api } = await setUp((res, req) => {
    res.writeHead(200, { 'content-length': req.url === '/large' ? 10 * MB : 100 })
    res.write('some')
    setTimeout(() => res.destroy(), 10)
  })
  expect((await failure(api.get('/large', {}, { as: 'bytes' }))).code).toBe('upstream_too_large')
  expect((await failure(api.post('/a', {}, { as: 'bytes' }))).code).toBe('upstream_unreachable')
  const stream = await api.get('/a', {}, { as: 'stream' })
  const reading = new Response(stream).arrayBuffer()
  expect((await failure(reading)).code).toBe('upstream_unreachable')
})

describe('a stream that nobody reads', () => {
  const open = async (
    end: (abort: AbortController, stream: ReadableStream) => unknown,
    timeoutMs = 60_000,
  ) => {
    const sending = sendingNothing()
    const { client } = await setUp(endless(sending), { timeoutMs })
    const abort = new AbortController()
    const api = client.forCaller(tokens('t'), { limit: abort })
    const stream = await api.get('/a', {}, { as: 'stream', maxBytes: 300 * MB })
    expect(sending.open).toBe(1)
    await end(abort, stream)
    await expect.poll(() => sending.open).toBe(0)
    return stream
  }

  test('is closed at the end of the call', async () => {
    const stream = await open((abort) => abort.abort())
    const error = await failure(stream.getReader().read())
    expect(error.code).toBe('upstream_cancelled')
  })

  test('is closed by its time limit', async () => {
    const stream = await open(() => undefined, 300)
    expect((await failure(stream.getReader().read())).code).toBe('upstream_timeout')
  })

  test('is closed when it is cancelled, half read or not', async () => {
    await open((_, stream) => stream.cancel())
    await open(async (_, stream) => {
      for await (const part of stream) if (part) break
    })
  })
})

test('a stream that waits for a part ends with the call', async () => {
  const abort = new AbortController()
  const { client } = await setUp((res) => res.writeHead(200).write('a'))
  const api = client.forCaller(tokens('t'), { limit: abort })
  const reader = (await api.get('/a', {}, { as: 'stream' })).getReader()
  await reader.read()
  const waiting = reader.read()
  abort.abort()
  expect((await failure(waiting)).code).toBe('upstream_cancelled')
})

test('every request ends with the call, whether the tool passes its signal or not', async () => {
  const abort = new AbortController()
  const { client, server } = await setUp((res, req) => {
    if (req.url === '/ok') return json(1)(res, req, 0)
    abort.abort()
  })
  const api = client.forCaller(tokens('t'), { limit: abort })
  expect(await api.get('/ok')).toBe(1)
  expect((await failure(api.get('/slow'))).code).toBe('upstream_cancelled')
  expect((await failure(api.get('/ok'))).code).toBe('upstream_cancelled')
  expect(server.seen).toHaveLength(2)
})

test("endless response heads are aborted at the request's timeout", async () => {
  const { api } = await setUp((res) => void res.socket?.write('HTTP/1.1 200 OK\r\nx-a: '))
  expect((await failure(api.get('/a', {}, { timeoutMs: 200 }))).code).toBe('upstream_timeout')
})
