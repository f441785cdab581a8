/** JSON keys that resemble others: matched exactly, or not at all (CVE-2026-27896). */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { connect, envelope, PROTOCOL_CATALOG, postText, read } from '../support/wire.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG })
})
afterAll(() => app.stop())

const MODERN = {
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': 'echo',
}

const META = `"_meta":${JSON.stringify(envelope())}`
const ARGUMENTS = '"arguments":{"text":"x"}'

describe.each(['2025', '2026'])('in %s', (era) => {
  async function send(body: string) {
    const headers = era === '2026' ? MODERN : await connect(app.url)
    return read(postText(app.url, body, headers))
  }
  const call = (params: string, rest = '"method":"tools/call"') =>
    `{"jsonrpc":"2.0","id":1,${rest},"params":{${params}${era === '2026' ? `,${META}` : ''}}}`

  test.each([
    '"Method":"tools/call"',
    '"METHOD":"tools/call"',
    '"method ":"tools/call"',
    '"mеthod":"tools/call"',
    '"method\\u0000":"tools/call"',
    '"ｍethod":"tools/call"',
  ])('%s is not a method', async (method) => {
    const { status, message } = await send(call(`"name":"echo",${ARGUMENTS}`, method))
    expect(status).toBe(400)
    expect(message.error?.code).toBe(-32600)
  })

  test.each(['"Name":"echo"', '"NAME":"echo"', '"nаme":"echo"', '"name\\u200b":"echo"'])(
    '%s names no tool',
    async (name) => {
      const { message } = await send(call(`${name},${ARGUMENTS}`))
      expect(message.error?.code).toBe(-32602)
    },
  )

  test.each(['Echo', 'ECHO', 'echo ', ' echo', 'есho', 'echo\\u0000', 'constructor', '__proto__'])(
    '"%s" is another tool',
    async (name) => {
      const { message } = await send(call(`"name":"${name}",${ARGUMENTS}`))
      // In the 2026 era a header names the tool, too, and must match.
      expect(message.error?.code).toBe(era === '2026' ? -32020 : -32602)
    },
  )

  test.each(['"Text":"x"', '"TEXT":"x"', '"tеxt":"x"'])('%s is another argument', async (text) => {
    const { message } = await send(call(`"name":"echo","arguments":{${text}}`))
    expect(message.result).toMatchObject({ isError: true })
  })

  test('an escaped key equals its unescaped form', async () => {
    const { message } = await send(call(`"n\\u0061me":"echo",${ARGUMENTS}`))
    expect(message.result).toMatchObject({ structuredContent: { text: 'x' } })
  })

  test('of two equal keys the last one counts, for every check alike', async () => {
    const twice = await send(call(`"name":"broken","name":"echo",${ARGUMENTS}`))
    expect(twice.message.result).toMatchObject({ structuredContent: { text: 'x' } })
    const hidden = await send(call(`"name":"echo","name":"broken",${ARGUMENTS}`))
    if (era === '2026') expect(hidden.message.error?.code).toBe(-32020)
    else expect(hidden.message.result).toMatchObject({ isError: true })
  })

  test.each([
    '"__proto__":{"polluted":true,"text":"y"}',
    '"constructor":{"prototype":{"polluted":true}}',
    '"prototype":{"polluted":true}',
  ])('%s pollutes nothing', async (key) => {
    for (const params of [
      `"name":"echo","arguments":{"text":"x",${key}}`,
      `"name":"echo",${ARGUMENTS},${key}`,
    ]) {
      const { message } = await send(call(params))
      expect(message.result).toMatchObject({ structuredContent: { text: 'x', polluted: false } })
    }
    const rest = `"method":"tools/call",${key}`
    const outside = await send(call(`"name":"echo",${ARGUMENTS}`, rest))
    expect('polluted' in {}).toBe(false)
    expect([200, 400]).toContain(outside.status)
  })

  test('an inherited argument counts as missing', async () => {
    const { message } = await send(call('"name":"echo","arguments":{"__proto__":{"text":"y"}}'))
    expect(message.result).toMatchObject({ isError: true })
  })
})
