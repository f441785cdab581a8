/** `/http` for programs without the protocol: a method and its parameters in, the plain result out. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { probe } from '../fixtures/protocol/probe.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { authorizeDirectCaller, type DirectAnswer, type DirectCaller } from '../support/direct.ts'
import { failingStore } from '../support/failing-store.ts'
import { envelope, PROTOCOL_CATALOG, postModern, read } from '../support/wire.ts'

let app: TestApp
let direct: DirectCaller
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG })
  direct = await authorizeDirectCaller(app.url)
})
afterAll(() => app.stop())

const ECHO = { name: 'echo', arguments: { text: 'hello' } }

function expectProblem({ type, body, status }: DirectAnswer, expected: [number, string]): void {
  expect([status, body.code]).toEqual(expected)
  expect(type).toBe('application/problem+json')
  expect(body).toMatchObject({ type: 'about:blank', status })
  expect(body.title).toMatch(/^[A-Z][A-Za-z ]+$/)
  expect(body.detail).toMatch(/\w/)
  expect(body.detail).not.toMatch(/[{}[\]]/)
  expect(body).not.toHaveProperty('jsonrpc')
}

describe('a result', () => {
  test('of a tool is its tool result without an envelope', async () => {
    const { status, type, body } = await direct.call('tools/call', ECHO)
    expect([status, type]).toEqual([200, 'application/json'])
    expect(body).toMatchObject({ resultType: 'complete', structuredContent: { text: 'hello' } })
    expect(body).not.toHaveProperty('jsonrpc')
    expect(body).not.toHaveProperty('id')
  })

  const note = { uri: 'test://note' }
  const greet = { name: 'greet', arguments: { name: 'Ada' } }
  const ref = { type: 'ref/prompt', name: 'greet' }
  test.each([
    ['tools/call', ECHO],
    ['tools/list', {}],
    ['prompts/list', {}],
    ['prompts/get', greet],
    ['resources/list', {}],
    ['resources/templates/list', {}],
    ['resources/read', note],
    ['completion/complete', { ref, argument: { name: 'name', value: 'A' } }],
    ['server/discover', {}],
  ])('of %s is the same as at /mcp', async (method, params) => {
    const { status, body } = await direct.call(method, params)
    const headers = direct.credentials
    const { message } = await read(postModern(app.url, method, params, { headers }))
    expect(status).toBe(200)
    expect(body).toEqual(message.result)
  })

  test('of ping is empty, although 2026-07-28 dropped it', async () => {
    expect(await direct.call('ping')).toMatchObject({ status: 200, body: {} })
  })

  test('has no progress and log lines', async () => {
    const _meta = { progressToken: 1, 'io.modelcontextprotocol/logLevel': 'debug' }
    const { type, body } = await direct.call('tools/call', { name: 'count', _meta })
    expect(type).toBe('application/json')
    expect(body.structuredContent).toEqual({ counted: 3 })
  })
})

describe('a failure is a problem document', () => {
  test.each([
    ['an unknown method', 'nope', {}, [404, 'method_not_found']],
    ['an inherited method', 'toString', {}, [404, 'method_not_found']],
    ['a method of another era', 'initialize', {}, [404, 'method_not_found']],
    ['a method that needs a stream', 'subscriptions/listen', {}, [404, 'method_not_found']],
    ['a notification', 'notifications/cancelled', {}, [404, 'method_not_found']],
    ['an unknown tool', 'tools/call', { name: 'nope' }, [404, 'tool_not_found']],
    ['an unknown prompt', 'prompts/get', { name: 'nope' }, [404, 'prompt_not_found']],
    ['a prompt without a name', 'prompts/get', {}, [400, 'invalid_params']],
    ['a tool call without a name', 'tools/call', {}, [400, 'invalid_params']],
    ['an unknown resource', 'resources/read', { uri: 'test://x' }, [404, 'resource_not_found']],
    ['no name', 'tools/call', {}, [400, 'invalid_params']],
    [
      'arguments that are a list',
      'tools/call',
      { ...ECHO, arguments: [] },
      [400, 'invalid_params'],
    ],
    ['_meta that is text', 'tools/call', { ...ECHO, _meta: 'x' }, [400, 'invalid_params']],
    ['a bad state', 'tools/call', { ...ECHO, requestState: 'x' }, [400, 'invalid_params']],
    ['bad arguments', 'tools/call', { name: 'echo' }, [400, 'invalid_arguments']],
    ['a tool that throws', 'tools/call', { name: 'broken' }, [500, 'internal_error']],
    [
      'a resource that throws',
      'resources/read',
      { uri: 'test://broken/1' },
      [500, 'internal_error'],
    ],
  ] as const)('%s', async (_what, method, params, expected) => {
    const answer = await direct.call(method, params)
    expectProblem(answer, [...expected])
    expect(JSON.stringify(answer.body)).not.toContain('internal-canary')
  })

  test('with the content of a failed tool', async () => {
    const { body } = await direct.call('tools/call', { name: 'echo' })
    expect(body).toMatchObject({ isError: true, content: [{ type: 'text', text: body.detail }] })
  })

  test('another revision than the supported one', async () => {
    const _meta = envelope({}, '2025-11-25')
    const answer = await direct.call('tools/call', { ...ECHO, _meta })
    expectProblem(answer, [400, 'invalid_params'])
  })

  test('an unavailable store is 503, with the time to retry', async () => {
    const store = failingStore()
    const other = await startApp({ store })
    const caller = await authorizeDirectCaller(other.url)
    store.disconnect()
    const answer = await caller.call('tools/call', { name: 'session' })
    expectProblem(answer, [503, 'unavailable'])
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    store.reconnect()
    await other.stop()
  })

  test.each([
    ['no JSON', '{', {}, [400, 'parse_error']],
    ['a list of calls', '[{"method":"ping"}]', {}, [400, 'invalid_request']],
    ['too many bytes', `{"method":"${'x'.repeat(2 ** 20)}"}`, {}, [413, 'payload_too_large']],
    ['text', '{}', { 'content-type': 'text/plain' }, [415, 'unsupported_media_type']],
    ['zipped', '{}', { 'content-encoding': 'gzip' }, [415, 'unsupported_media_type']],
  ] as const)('a body that is %s', async (_what, text, headers, expected) => {
    const answer = await direct.post(text, { headers })
    expectProblem(answer, [...expected])
  })

  test('but a JSON-RPC error for clients of the protocol', async () => {
    const headers = { accept: 'application/json, text/event-stream' }
    for (const text of ['{', '[]', '{"jsonrpc":"2.0","id":1,"method":"ping"}']) {
      const { status, body } = await direct.post(text, { headers })
      expect([status, body.jsonrpc]).toEqual([400, '2.0'])
    }
  })
})

test('messages of the protocol are served at the same address', async () => {
  const headers = {
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'echo',
  }
  const params = { ...ECHO, _meta: envelope() }
  const message = { jsonrpc: '2.0', id: 7, method: 'tools/call', params }
  const { status, body } = await direct.post(JSON.stringify(message), { headers })
  expect(status).toBe(200)
  expect(body).toMatchObject({ id: 7, result: { structuredContent: { text: 'hello' } } })
})

test('a caller that disconnects cancels its call', async () => {
  const leaving = new AbortController()
  const params = { name: 'hold', arguments: { key: 'direct-left' } }
  const { signal } = leaving
  const answer = direct.call('tools/call', params, { signal }).catch(() => 'left')
  await probe('direct-left').started
  leaving.abort()
  expect(await probe('direct-left').ended).toBe(true)
  expect(await answer).toBe('left')
})

test('concurrent calls get their own results', async () => {
  const texts = Array.from({ length: 50 }, (_, index) => `canary-${index}`)
  const answers = await Promise.all(
    texts.map((text, index) => {
      const delayMs = (50 - index) % 7
      return direct.call('tools/call', { name: 'echo', arguments: { text, delayMs } })
    }),
  )
  const received = answers.map(({ body }) => (body.structuredContent as { text: string }).text)
  expect(received).toEqual(texts)
})
