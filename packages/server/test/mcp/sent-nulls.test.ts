/** Clients whose serializers write `null` for unset members, on every transport. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import {
  connect,
  envelope,
  INITIALIZE,
  PROTOCOL_CATALOG,
  post,
  postModern,
  read,
  request,
  sendRequest,
} from '../support/wire.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG })
})
afterAll(() => app.stop())

describe.each(['2026-07-28', '2025-11-25'])('in %s', (era) => {
  test.each([
    ['a cursor', 'tools/list', { cursor: null }],
    ['a cursor', 'resources/list', { cursor: null }],
    ['a context', 'completion/complete', completion(null)],
    ['arguments', 'prompts/get', { name: 'broken', arguments: null }],
  ])('%s of %s', async (_what, method, params) => {
    const { message } = await sendRequest(app.url, era, method, params)
    const withoutNulls = Object.entries(params).filter(([, value]) => value !== null)
    const { message: same } = await sendRequest(
      app.url,
      era,
      method,
      Object.fromEntries(withoutNulls),
    )
    expect(message).toEqual(same)
    expect(message.error?.message ?? '').not.toContain('null')
  })

  test.each([
    ['a progress token', { arguments: { text: 'x' }, _meta: { progressToken: null } }],
    ['a task', { arguments: { text: 'x' }, task: null }],
  ])('%s of tools/call', async (_what, params) => {
    const { message } = await callTool(era, { name: 'echo', ...params })
    expect(message.result).toMatchObject({ structuredContent: { text: 'x' } })
  })

  test('arguments of tools/call', async () => {
    const { message } = await callTool(era, { name: 'echo', arguments: null })
    // It runs, and lacks an argument that it requires.
    expect(message.result).toMatchObject({ isError: true })
    expect(JSON.stringify(message.result)).toContain('text')
  })

  test('not as the value of an argument', async () => {
    const params = { name: 'echo', arguments: { text: null } }
    const { message } = await sendRequest(app.url, era, 'tools/call', params)
    expect(message.result).toMatchObject({ isError: true })
  })
})

async function callTool(era: string, { _meta: meta, ...params }: Record<string, unknown>) {
  if (era === '2026-07-28') {
    return read(postModern(app.url, 'tools/call', params, { meta: { ...(meta as object) } }))
  }
  const message = request('tools/call', { ...params, ...(meta !== undefined && { _meta: meta }) })
  return read(post(app.url, message, await connect(app.url)))
}

function completion(context: null) {
  const ref = { type: 'ref/prompt', name: 'greet' }
  return { ref, argument: { name: 'name', value: '' }, context }
}

describe('in the 2025 era', () => {
  test.each([{ params: null }, { params: { _meta: null, cursor: null } }])(
    'a request with %j',
    async (members) => {
      const headers = await connect(app.url)
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/list', ...members }
      const { status, message: answer } = await read(post(app.url, message, headers))
      expect([status, answer.error]).toEqual([200, undefined])
    },
  )

  test.each([
    ['notifications/initialized', null],
    ['notifications/cancelled', { requestId: 7, reason: null, _meta: null }],
  ])('the notification %s', async (method, params) => {
    const headers = await connect(app.url)
    const { status } = await read(post(app.url, { jsonrpc: '2.0', method, params }, headers))
    expect(status).toBe(202)
  })

  test('the handshake', async () => {
    const params = {
      ...INITIALIZE.params,
      capabilities: { roots: null, sampling: null, elicitation: { form: null }, extensions: null },
      clientInfo: {
        ...{ name: 'x', version: '1', title: null },
        icons: [{ src: 'https://a.example/x', mimeType: null, sizes: null }],
      },
      _meta: null,
    }
    const { status, message } = await read(post(app.url, { ...INITIALIZE, params }))
    expect([status, message.error]).toEqual([200, undefined])
  })

  test('required members are missing all the same', async () => {
    const params = { ...INITIALIZE.params, clientInfo: null }
    const { status, message } = await read(post(app.url, { ...INITIALIZE, params }))
    expect([status, message.error?.code]).toEqual([400, -32602])
  })
})

test("in the 2026 era, the client's description of itself", async () => {
  const meta = {
    'io.modelcontextprotocol/logLevel': null,
    'io.modelcontextprotocol/clientInfo': { name: 'x', version: '1', title: null },
    'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: null } },
    'example.com/own': null,
  }
  const { status, message } = await read(postModern(app.url, 'tools/list', {}, { meta }))
  expect([status, message.error]).toEqual([200, undefined])
})

test('in the 2026 era, null does not replace the envelope', async () => {
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' }
  for (const params of [null, { _meta: null }]) {
    const message = { ...request('tools/list'), params }
    const { status, message: answer } = await read(post(app.url, message, headers))
    expect([status, answer.error?.code]).toEqual([400, -32602])
  }
  expect(envelope()).not.toContain(null)
})
