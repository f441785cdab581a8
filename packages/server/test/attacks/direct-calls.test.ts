/** `/http` accepts exactly direct calls: no look-alikes, no duplicate keys, no batches. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { authorizeDirectCaller, type DirectCaller } from '../support/direct.ts'
import { recordingStore } from '../support/recording-store.ts'
import { PROTOCOL_CATALOG } from '../support/wire.ts'

const { store, written } = recordingStore()
let app: TestApp
let direct: DirectCaller
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG, store })
  direct = await authorizeDirectCaller(app.url)
})
afterAll(() => app.stop())

const ARGUMENTS = '"arguments":{"text":"x"}'
const PARAMS = `"params":{"name":"echo",${ARGUMENTS}}`

async function send(text: string, headers = {}) {
  const { status, body } = await direct.post(text, { headers })
  return { status, body, outcome: [status, body.code] }
}

describe('batches', () => {
  test.each([
    ['nothing', []],
    ['a call', [{ method: 'ping' }]],
    ['a message', [{ jsonrpc: '2.0', id: 1, method: 'ping' }]],
    ['a thousand calls', Array.from({ length: 1000 }, () => ({ method: 'ping' }))],
    ['lists', [[{ method: 'ping' }]]],
  ])('of %s are refused, and nothing runs', async (_what, batch) => {
    const before = written.length
    expect((await send(JSON.stringify(batch))).outcome).toEqual([400, 'invalid_request'])
    expect(written).toHaveLength(before)
  })
})

describe('members', () => {
  test.each([
    '"Method":"tools/call"',
    '"METHOD":"tools/call"',
    '"method ":"tools/call"',
    '"mеthod":"tools/call"',
    '"__proto__":{"method":"tools/call"}',
    '"method":5',
    '"method":["tools/call"]',
  ])('%s is not a method', async (method) => {
    expect((await send(`{${method},${PARAMS}}`)).outcome).toEqual([400, 'invalid_request'])
  })

  test.each([
    '"id":1',
    '"id":null',
    '"JSONRPC":"2.0"',
    '"jsonrpc ":"2.0"',
    '"Params":{}',
    '"name":"broken"',
    '"__proto__":{"polluted":true}',
    '"constructor":{}',
  ])('%s beside the call is refused', async (member) => {
    const answer = await send(`{"method":"tools/call",${PARAMS},${member}}`)
    expect(answer.outcome).toEqual([400, 'invalid_request'])
    expect('polluted' in {}).toBe(false)
  })

  test.each(['"jsonrpc":"1.0"', '"jsonrpc":null', '"jsonrpc":2'])(
    '%s makes it a JSON-RPC message, which is refused',
    async (version) => {
      const headers = { accept: 'application/json, text/event-stream' }
      const { status, body } = await send(`{"method":"tools/call",${PARAMS},${version}}`, headers)
      expect(status).toBe(400)
      expect(body.error).toMatchObject({ code: -32600 })
    },
  )

  test.each(['"params":[]', '"params":null', '"params":"x"'])(
    '%s are not parameters',
    async (params) => {
      expect((await send(`{"method":"tools/call",${params}}`)).outcome).toEqual([
        400,
        'invalid_params',
      ])
    },
  )

  test.each(['"Name":"echo"', '"nаme":"echo"', '"__proto__":{"name":"echo"}'])(
    '%s names no tool',
    async (name) => {
      const answer = await send(`{"method":"tools/call","params":{${name},${ARGUMENTS}}}`)
      expect(answer.outcome).toEqual([400, 'invalid_params'])
    },
  )

  test.each(['Echo', 'echo ', 'есho', 'echo\\u0000', 'constructor', '__proto__'])(
    '"%s" is another tool',
    async (name) => {
      const answer = await send(`{"method":"tools/call","params":{"name":"${name}",${ARGUMENTS}}}`)
      expect(answer.outcome).toEqual([404, 'tool_not_found'])
    },
  )

  test.each([
    '"__proto__":{"polluted":true,"text":"y"}',
    '"constructor":{"prototype":{"polluted":true}}',
  ])('%s pollutes nothing', async (key) => {
    for (const params of [
      `"name":"echo","arguments":{"text":"x",${key}}`,
      `"name":"echo",${ARGUMENTS},${key}`,
      `"name":"echo",${ARGUMENTS},"_meta":{${key}}`,
    ]) {
      const { body } = await send(`{"method":"tools/call","params":{${params}}}`)
      expect(body.structuredContent).toEqual({ text: 'x', polluted: false })
    }
  })
})

test.each([
  ['mcp-method', 'tools/list'],
  ['mcp-name', 'count'],
  ['mcp-name', ''],
])('a contradicting header %s: %s is refused', async (name, value) => {
  const call = `{"method":"tools/call",${PARAMS}}`
  expect((await send(call, { [name]: value })).outcome).toEqual([400, 'invalid_request'])
  const same = { 'mcp-method': 'tools/call', 'mcp-name': 'echo' }
  expect((await send(call, same)).status).toBe(200)
})
