/** Errors say what to do, and disclose no internals. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { ERAS, errorCode } from '../support/clients.ts'
import { PROTOCOL_CATALOG, sendRequest } from '../support/wire.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG })
})
afterAll(() => app.stop())

const INSIDE = /internal-canary|ENOENT|\/srv\/|node_modules|\.ts\b|\.js\b|at async|Error:/

describe.each(ERAS)('in %s', (era) => {
  test('a tool that throws is a tool error without its message', async () => {
    const { status, text, message } = await sendRequest(app.url, era, 'tools/call', {
      name: 'broken',
    })
    expect([status, errorCode(message.result ?? {})]).toEqual([200, 'internal_error'])
    expect(text).not.toMatch(INSIDE)
  })

  test.each([
    ['resource', 'resources/read', { uri: 'test://broken/1' }],
    ['prompt', 'prompts/get', { name: 'broken', arguments: { about: 'x' } }],
    [
      'completion of a prompt',
      'completion/complete',
      { ref: { type: 'ref/prompt', name: 'broken' }, argument: { name: 'about', value: 'x' } },
    ],
    [
      'completion of a resource',
      'completion/complete',
      {
        ref: { type: 'ref/resource', uri: 'test://broken/{id}' },
        argument: { name: 'id', value: 'x' },
      },
    ],
  ])('a %s that throws is -32603 without its message', async (_what, method, params) => {
    const seen = app.lines.length
    const { status, text, message } = await sendRequest(app.url, era, method, params)
    expect([status, message.error?.code]).toEqual([200, -32603])
    expect(text).not.toMatch(INSIDE)
    const logged = app.lines.slice(seen).filter((line) => line.includes('internal-canary'))
    expect(logged).toHaveLength(1)
    expect(JSON.parse(logged[0] ?? '')).toMatchObject({ level: 'error', method })
  })

  test.each([
    ['prompts/get', {}, 'name'],
    ['resources/read', {}, 'uri'],
    ['completion/complete', {}, 'ref'],
    ['tools/call', {}, 'name'],
    ['tools/call', { name: 'echo', arguments: 5 }, 'arguments'],
  ])('%s with %j is -32602, with an explanation', async (method, params, place) => {
    const { message } = await sendRequest(app.url, era, method, params)
    expect(message.error?.code).toBe(-32602)
    expect(message.error?.message).toMatch(new RegExp(`^Invalid params: ${place}: [^{}[\\]"]+$`))
  })
})

test.each([
  ['initialize', {}],
  ['logging/setLevel', {}],
  ['resources/subscribe', {}],
])('%s of the 2025 era with %j is -32602, with an explanation', async (method, params) => {
  const { message } = await sendRequest(app.url, '2025-11-25', method, params)
  expect(message.error?.code).toBe(-32602)
  expect(message.error?.message).toMatch(/^[^{}[\]]+$/)
})
