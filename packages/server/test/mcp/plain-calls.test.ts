/** Plain calls of both eras and direct calls: same responses as by the SDK. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { failingStore } from '../support/failing-store.ts'
import {
  type Answer,
  connect,
  envelope,
  type HeaderFields,
  PROTOCOL_CATALOG,
  post,
  postModern,
  read,
  request,
} from '../support/wire.ts'

const store = failingStore()
let app: TestApp
let plain: HeaderFields
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG, store })
  plain = await connect(app.url)
  await read(postModern(app.url, 'tools/list'))
})
afterAll(() => app.stop())

type Params = Readonly<Record<string, unknown>>

/** The same call on the fast path, and with a progress token, by which the SDK serves it. */
const PAIRS: Readonly<Record<string, (params: Params) => Promise<readonly [Answer, Answer]>>> = {
  async '2026-07-28'(params) {
    return Promise.all([
      read(postModern(app.url, 'tools/call', params)),
      read(postModern(app.url, 'tools/call', params, { meta: { progressToken: 'p' } })),
    ])
  },
  async '2025-11-25'(params) {
    const withToken = { ...params, _meta: { progressToken: 'p' } }
    return Promise.all([
      read(post(app.url, request('tools/call', params), plain)),
      read(post(app.url, request('tools/call', withToken), plain)),
    ])
  },
}

describe.each(Object.keys(PAIRS))('in %s', (era) => {
  const call = (params: Params) => PAIRS[era]?.(params) ?? expect.fail('no such pair')

  test.each<[string, Params]>([
    ['a result', { name: 'echo', arguments: { text: 'hello' } }],
    ['arguments that do not fit', { name: 'echo', arguments: { text: 7 } }],
    ['arguments that are missing', { name: 'echo' }],
    ['a tool that fails', { name: 'broken', arguments: {} }],
    ['a tool there is not', { name: 'nothing', arguments: {} }],
  ])('%s is the same', async (_what, params) => {
    const [ours, theirs] = await call(params)
    expect(ours.status).toBe(theirs.status)
    expect(ours.headers.get('content-type')).toBe(theirs.headers.get('content-type'))
    expect(ours.message).toEqual(theirs.message)
  })

  test('an unavailable store is 503, with the time to retry', async () => {
    store.disconnect()
    try {
      const [ours, theirs] = await call({
        name: 'count',
        arguments: { session: `ses_${'a'.repeat(43)}` },
      })
      expect([ours.status, theirs.status]).toEqual([503, 503])
      expect(ours.headers.get('retry-after')).toBe('1')
    } finally {
      store.reconnect()
    }
  })
})

test('calls that the SDK refuses stay refused after valid calls of the same client', async () => {
  const params = { name: 'echo', arguments: { text: 'x' } }
  await read(postModern(app.url, 'tools/call', params))
  const wrong: readonly HeaderFields[] = [
    { 'mcp-name': 'count' },
    { 'mcp-name': '' },
    { 'mcp-method': 'tools/list' },
    { 'mcp-protocol-version': '2025-11-25' },
  ]
  for (const headers of wrong) {
    const { status, message } = await read(postModern(app.url, 'tools/call', params, { headers }))
    expect([status, message.error?.code]).toEqual([400, -32020])
  }
  const _meta = { ...envelope(), 'io.modelcontextprotocol/clientCapabilities': 'all' }
  const fields = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'echo',
  }
  const odd = await read(post(app.url, request('tools/call', { ...params, _meta }), fields))
  expect([odd.status, odd.message.error?.code]).toEqual([400, -32602])
})

test('names and members of the prototype are treated like any other', async () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const { message } = await read(postModern(app.url, 'tools/call', { name, arguments: {} }))
    expect(message.error?.code).toBe(-32602)
  }
  const text =
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","__proto__":{"a":1}}}'
  const { status } = await read(post(app.url, JSON.parse(text), plain))
  expect(status).toBe(200)
})
