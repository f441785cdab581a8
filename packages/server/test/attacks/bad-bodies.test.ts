/** Bodies that are not messages: refused early, cheaply, and with the right status. */

import { connect as connectSocket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { recordingStore } from '../support/recording-store.ts'
import {
  connect,
  envelope,
  INITIALIZE,
  PROTOCOL_CATALOG,
  post,
  postModern,
  postText,
  read,
  request,
} from '../support/wire.ts'

const LIMIT = 1024 * 1024
const { store, written } = recordingStore()
let app: TestApp
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG, store })
})
afterAll(() => app.stop())

const GOOD = JSON.stringify(INITIALIZE)

test.each([
  ['nothing', ''],
  ['half a message', GOOD.slice(0, -5)],
  ['two messages', GOOD + GOOD],
  ['single quotes', "{'jsonrpc':'2.0'}"],
  ['a comment', `/* */${GOOD}`],
  ['a trailing comma', GOOD.replace(/}$/, ',}')],
  ['NaN', GOOD.replace('"id":1', '"id":NaN')],
  ['a NUL', `${GOOD}\u0000`],
  ['HTML', '<script>alert(1)</script>'],
])('%s is 400 and -32700', async (_what, body) => {
  const { status, message } = await read(postText(app.url, body))
  expect([status, message.error?.code, message.id]).toEqual([400, -32700, null])
})

test.each([
  ['a lone continuation byte', [0x80]],
  ['a long form of a slash', [0xc0, 0xaf]],
  ['half a surrogate', [0xed, 0xa0, 0x80]],
  ['UTF-16', [...Buffer.from(GOOD, 'utf16le')]],
])('%s is not UTF-8: 400 and -32700', async (_what, bytes) => {
  const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')])
  const { status, message } = await read(postText(app.url, new Uint8Array(body)))
  expect([status, message.error?.code]).toEqual([400, -32700])
})

test.each([
  ['null', null],
  ['a number', 5],
  ['a text', 'initialize'],
  ['an empty object', {}],
  ['no version', { id: 1, method: 'ping' }],
  ['another version', { jsonrpc: '1.0', id: 1, method: 'ping' }],
  ['a version that is a number', { jsonrpc: 2, id: 1, method: 'ping' }],
  ['no method', { jsonrpc: '2.0', id: 1 }],
  ['a method that is not a string', { jsonrpc: '2.0', id: 1, method: 5 }],
  ['an id that is null', { jsonrpc: '2.0', id: null, method: 'ping' }],
  ['an id that is an object', { jsonrpc: '2.0', id: {}, method: 'ping' }],
  ['an id that is true', { jsonrpc: '2.0', id: true, method: 'ping' }],
  ['an id that is a fraction', { jsonrpc: '2.0', id: 1.5, method: 'ping' }],
  ['an answer without an id', { jsonrpc: '2.0', result: {} }],
  ['an answer whose id is null', { jsonrpc: '2.0', id: null, result: {} }],
  ['an answer whose id is a list', { jsonrpc: '2.0', id: [1], error: { code: 1, message: '' } }],
  ['an answer of another version', { jsonrpc: '1.0', id: 1, result: {} }],
  ['an answer without a version', { id: 1, result: {} }],
  ['an answer with a result and an error', { jsonrpc: '2.0', id: 1, result: {}, error: {} }],
  ['an answer with another member', { jsonrpc: '2.0', id: 1, result: {}, x: 1 }],
  ['parameters that are a list', { jsonrpc: '2.0', id: 1, method: 'ping', params: [] }],
])('%s is not a JSON-RPC message: 400 and -32600', async (_what, message) => {
  const answer = await read(post(app.url, message, await connect(app.url)))
  expect([answer.status, answer.message.error?.code]).toEqual([400, -32600])
})

describe('batches', () => {
  const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' }
  test.each([
    ['none', []],
    ['one', [INITIALIZE]],
    ['a thousand', Array.from({ length: 1000 }, () => request('ping'))],
    ['one notification', [initialized]],
    ['lists in lists', [[INITIALIZE]]],
    ['2026', [{ ...request('tools/list'), params: { _meta: envelope() } }]],
  ])('of %s are 400 and -32600, and nothing runs', async (_what, batch) => {
    const headers = await connect(app.url)
    const before = written.length
    for (const more of [{}, headers, { 'mcp-protocol-version': '2026-07-28' }]) {
      const { status, message, messages } = await read(post(app.url, batch, more))
      expect([status, message.error?.code, message.id]).toEqual([400, -32600, null])
      expect(messages).toHaveLength(1)
    }
    expect(written).toHaveLength(before)
  })
})

describe('content types', () => {
  test.each([
    '',
    'text/plain',
    'text/plain;charset=application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json-patch+json',
    'text/json',
    'application/jsonx',
    'text/plain, application/json',
    'application/json, text/plain',
  ])('"%s" is 415', async (type) => {
    const { status, message } = await read(postText(app.url, GOOD, { 'content-type': type }))
    expect([status, message.error?.code]).toEqual([415, -32000])
  })

  test.each([
    'application/json;charset=utf-8',
    'application/json; charset="UTF-8"',
    'Application/JSON',
    'application/json;',
  ])('"%s" is accepted', async (type) => {
    const { status } = await read(postText(app.url, GOOD, { 'content-type': type }))
    expect(status).toBe(200)
  })

  test.each(['gzip', 'deflate', 'br', 'zstd', 'gzip, gzip', 'x', 'GZIP'])(
    'Content-Encoding %s is 415',
    async (encoding) => {
      const body = new Uint8Array(gzipSync(GOOD))
      const headers = { 'content-encoding': encoding }
      expect((await read(postText(app.url, body, headers))).status).toBe(415)
    },
  )

  test.each(['identity', 'Identity'])('Content-Encoding %s is accepted', async (encoding) => {
    const { status } = await read(postText(app.url, GOOD, { 'content-encoding': encoding }))
    expect(status).toBe(200)
  })
})

describe('size and depth', () => {
  test('a body of exactly the limit is read, one byte more is 413', async () => {
    const headers = await connect(app.url)
    const call = JSON.stringify(request('tools/call', { name: 'echo', arguments: { text: 'x' } }))
    const padded = (bytes: number) => read(postText(app.url, call.padEnd(bytes, ' '), headers))
    expect((await padded(LIMIT)).status).toBe(200)
    const { status, message } = await padded(LIMIT + 1)
    expect([status, message.error?.code]).toEqual([413, -32000])
  })

  test('a declared length above the limit is refused before a byte of it is sent', async () => {
    const { answer } = await upload({ announce: 1e9, mostBytes: 0 })
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
  })

  test('a chunked gigabyte is refused early, and the connection closed', async () => {
    const before = process.memoryUsage().rss
    const { answer, sentBytes } = await upload({ announce: undefined, mostBytes: 1024 ** 3 })
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(sentBytes).toBeLessThan(256 * 1024 ** 2)
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 ** 2)
  })

  test.each(['[', '{"a":'])('100,000 times %s is 400, not a crash', async (open) => {
    const { status, message } = await read(postText(app.url, open.repeat(100_000)))
    expect([status, message.error?.code]).toEqual([400, -32600])
    expect((await fetch(`${app.url}/livez`)).status).toBe(200)
  })

  test('brackets inside strings do not count as depth', async () => {
    const text = '[{'.repeat(5000)
    const params = { name: 'echo', arguments: { text: `"\\${text}` } }
    const { message } = await read(postModern(app.url, 'tools/call', params))
    expect(message.result).toMatchObject({ structuredContent: { text: `"\\${text}` } })
  })
})

interface Upload {
  /** `Content-Length`, or chunks when undefined. */
  readonly announce: number | undefined
  readonly mostBytes: number
}

/** Sends zeros until it is stopped, and returns the response. */
function upload({ announce, mostBytes }: Upload) {
  const { port, host } = new URL(app.url)
  const chunk = Buffer.concat([
    Buffer.from('10000\r\n'),
    Buffer.alloc(0x10000, '0'),
    Buffer.from('\r\n'),
  ])
  return new Promise<{ answer: string; sentBytes: number }>((resolve, reject) => {
    const socket = connectSocket(Number(port), '127.0.0.1')
    let answer = ''
    let sentBytes = 0
    const send = () => {
      while (!socket.destroyed && sentBytes < mostBytes) {
        sentBytes += 0x10000
        if (!socket.write(chunk)) return
      }
    }
    const length =
      announce === undefined ? 'transfer-encoding: chunked' : `content-length: ${announce}`
    socket.write(
      `POST /mcp HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n` +
        `accept: */*\r\n${length}\r\n\r\n`,
    )
    send()
    socket.on('drain', send)
    socket.on('data', (data) => {
      answer += data
    })
    // The server is expected to close the connection during the upload.
    socket.on('error', () => undefined)
    socket.on('close', () => resolve({ answer, sentBytes }))
    socket.setTimeout(15_000, () => reject(new Error('The upload was not stopped')))
  })
}
