/** Headers that clients and proxies leave out, or send empty: an empty header counts as absent. */

import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import {
  connect,
  envelope,
  INITIALIZE,
  type Message,
  PROTOCOL_CATALOG,
  request as rpc,
} from '../support/wire.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG })
})
afterAll(() => app.stop())

/** Sends exactly these headers; `fetch` would add some and drop empty ones. */
function send(body: unknown, headers: Readonly<Record<string, string>>, method = 'POST') {
  return new Promise<{ status: number | undefined; message: Message }>((resolve, reject) => {
    const fields = { 'content-type': 'application/json', ...headers }
    const sent = request(`${app.url}/mcp`, { method, headers: fields }, (response) => {
      const { statusCode: status } = response
      if (response.headers['content-type'] === 'text/event-stream') {
        response.destroy()
        resolve({ status, message: {} })
        return
      }
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve({ status, message: text ? JSON.parse(text) : {} }))
    })
    sent.on('error', reject).end(method === 'POST' ? JSON.stringify(body) : undefined)
  })
}

const ACCEPT = { accept: 'application/json, text/event-stream' }
const ECHO = { name: 'echo', arguments: { text: 'x' } }

describe('no Accept takes any type (RFC 9110, 12.5.1)', () => {
  test('initialize, requests and calls of 2025-11-25', async () => {
    expect((await send(INITIALIZE, {})).status).toBe(200)
    const session = await connect(app.url)
    for (const message of [rpc('tools/list'), rpc('tools/call', ECHO)]) {
      expect((await send(message, session)).message).toHaveProperty('result')
    }
    expect((await send(undefined, session, 'GET')).status).toBe(200)
  })

  test('requests and calls of 2026-07-28', async () => {
    for (const [method, params] of [
      ['tools/list', {}],
      ['tools/call', ECHO],
    ] as const) {
      const name = 'name' in params ? { 'mcp-name': params.name } : {}
      const standard = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...name }
      const body = rpc(method, { ...params, _meta: envelope() })
      expect((await send(body, standard)).message).toHaveProperty('result')
    }
  })
})

test('an empty MCP-Protocol-Version is none', async () => {
  const session = { ...(await connect(app.url)), ...ACCEPT, 'mcp-protocol-version': '' }
  for (const message of [rpc('ping'), rpc('tools/call', ECHO), INITIALIZE]) {
    expect((await send(message, session)).message).toHaveProperty('result')
  }
  expect((await send(undefined, session, 'GET')).status).toBe(200)
  expect((await send(undefined, session, 'DELETE')).status).toBe(204)
})

test('empty mirrors of a 2026-07-28 message are refused as if they were missing', async () => {
  const full = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'echo',
  }
  const body = rpc('tools/call', { ...ECHO, _meta: envelope() })
  for (const name of Object.keys(full)) {
    const { [name as keyof typeof full]: _, ...without } = full
    const missing = await send(body, { ...ACCEPT, ...without })
    expect(missing.status).toBe(400)
    const empty = await send(body, { ...ACCEPT, ...full, [name]: '' })
    expect([empty.status, empty.message.error?.code]).toEqual([400, missing.message.error?.code])
  }
})
