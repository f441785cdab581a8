/** MCP sessions of the 2025 era: opened by `initialize`, named by a header, ended by DELETE. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createId } from '../../src/crypto/random-id.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { recordingStore } from '../support/recording-store.ts'
import { connect, INITIALIZE, PROTOCOL_CATALOG, post, read, request } from '../support/wire.ts'

const { store, written } = recordingStore()
let app: TestApp
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG, store })
})
afterAll(() => app.stop())

const initialize = (params: object) => ({
  ...INITIALIZE,
  params: { ...INITIALIZE.params, ...params },
})

function end(headers: Record<string, string>): Promise<Response> {
  return fetch(`${app.url}/mcp`, { method: 'DELETE', headers })
}

describe('initialize', () => {
  test.each(['2025-11-25', '2025-06-18', '2025-03-26'])('agrees on %s', async (protocolVersion) => {
    const { status, headers, message } = await read(post(app.url, initialize({ protocolVersion })))
    expect(status).toBe(200)
    expect(headers.get('mcp-session-id')).toMatch(/^con_[\w-]{43}$/)
    expect(message.result).toMatchObject({ protocolVersion, serverInfo: { name: 'MCP Template' } })
  })

  test.each(['1999-01-01', '2026-07-28', '2099-01-01', 'latest', ''])(
    'offers the newest version it has for "%s"',
    async (protocolVersion) => {
      const { status, message } = await read(post(app.url, initialize({ protocolVersion })))
      expect(status).toBe(200)
      expect(message.result).toMatchObject({ protocolVersion: '2025-11-25' })
    },
  )

  test.each(['2024-11-05', '2025-11-25', '2026-07-28', '2027-01-01', 'latest'])(
    'negotiates by its body, whatever the header names: %s',
    async (version) => {
      const headers = { 'mcp-protocol-version': version }
      for (const protocolVersion of ['2025-06-18', version]) {
        const { status, message } = await read(
          post(app.url, initialize({ protocolVersion }), headers),
        )
        expect([status, message.error]).toEqual([200, undefined])
        const agreed = protocolVersion < '2026' ? protocolVersion : '2025-11-25'
        expect(message.result).toMatchObject({ protocolVersion: agreed })
      }
    },
  )

  test.each([
    ['no parameters', undefined],
    ['no client', { protocolVersion: '2025-11-25', capabilities: {} }],
    ['a client without a name', { ...INITIALIZE.params, clientInfo: { version: '1' } }],
    ['a name that is no text', { ...INITIALIZE.params, clientInfo: { name: 1, version: '1' } }],
    ['a version that is no text', { ...INITIALIZE.params, protocolVersion: 20251125 }],
    ['capabilities that are a list', { ...INITIALIZE.params, capabilities: [] }],
  ])('is refused with %s, and nothing is kept', async (_what, params) => {
    const before = written.length
    const { status, headers, message } = await read(post(app.url, { ...INITIALIZE, params }))
    expect([status, message.error?.code]).toEqual([400, -32602])
    expect(message.id).toBe(1)
    expect(headers.has('mcp-session-id')).toBe(false)
    expect(written).toHaveLength(before)
  })

  test('stores no more of a client than it needs', async () => {
    const clientInfo = { name: 'x'.repeat(100_000), version: '1', websiteUrl: 'y'.repeat(100_000) }
    const before = written.length
    const { status } = await read(post(app.url, initialize({ clientInfo })))
    const kept = JSON.stringify(written.slice(before))
    expect(kept.length).toBeLessThan(20_000)
    expect([200, 413]).toContain(status)
  })
})

describe('a connection', () => {
  test.each(['2025-11-25', '2025-06-18', '2025-03-26'])(
    'has a stream that begins with a byte at once, for proxies that hold headers back: %s',
    async (protocolVersion) => {
      const opened = await post(app.url, initialize({ protocolVersion }))
      const id = opened.headers.get('mcp-session-id') ?? ''
      const headers = { accept: 'text/event-stream', 'mcp-session-id': id }
      const { body } = await fetch(`${app.url}/mcp`, { headers })
      const reader = body?.getReader()
      const { value } = (await reader?.read()) ?? {}
      await reader?.cancel()
      const first = new TextDecoder().decode(value)
      // Earlier clients take an event without data for an invalid message.
      if (protocolVersion === '2025-11-25') expect(first).toMatch(/^id: .+\ndata: \n\n$/)
      else expect(first).toMatch(/^: .+\n\n$/)
    },
  )

  test.each([
    ['', 200],
    ['1', 400],
    ['r.0123456789ab.1', 400],
  ])('has a stream after the event "%s": %i', async (last, expected) => {
    const session = await connect(app.url)
    const headers = { ...session, accept: 'text/event-stream', 'last-event-id': last }
    const { status, body } = await fetch(`${app.url}/mcp`, { headers })
    await body?.cancel()
    expect(status).toBe(expected)
  })

  test('accepts notifications and stray answers with 202', async () => {
    const headers = await connect(app.url)
    for (const message of [
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', method: 'notifications/nothing' },
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 77 } },
      { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 7 } },
      { jsonrpc: '2.0', id: 'nobody.1', result: {} },
      { jsonrpc: '2.0', id: 'nobody.1', error: { code: -1, message: 'no' } },
    ]) {
      const { status, text } = await read(post(app.url, message, headers))
      expect([status, text]).toEqual([202, ''])
    }
  })

  test('wants its id: 400 without one', async () => {
    const { status, message } = await read(post(app.url, request('tools/list', {}, 'a')))
    expect([status, message.error?.code, message.id]).toEqual([400, -32600, 'a'])
    expect((await end({})).status).toBe(400)
  })

  test('is 404 when it is unknown, malformed or the id of something else', async () => {
    const session = written.find(({ key }) => key.endsWith(':session'))?.value as { id: string }
    for (const id of [createId('con'), 'con_', 'con_x', session.id, '*', 'a'.repeat(4000)]) {
      const headers = { 'mcp-session-id': id }
      const { status, message } = await read(post(app.url, request('tools/list'), headers))
      expect([status, message.error?.code]).toEqual([404, -32001])
      expect((await end(headers)).status).toBe(404)
    }
  })

  test('ends with DELETE, and is unknown after it', async () => {
    const headers = await connect(app.url)
    expect((await end(headers)).status).toBe(204)
    expect((await read(post(app.url, request('ping'), headers))).status).toBe(404)
    expect((await end(headers)).status).toBe(404)
    const notification = { jsonrpc: '2.0', method: 'notifications/initialized' }
    expect((await read(post(app.url, notification, headers))).status).toBe(404)
  })

  test('leaves nothing in the store when it ends', async () => {
    const before = written.length
    await end(await connect(app.url))
    const keys = new Set(written.slice(before).map(({ key }) => key))
    expect(keys.size).toBeGreaterThan(1)
    for (const key of keys) expect(await store.get(key)).toBeUndefined()
  })

  test('refuses a protocol version that was never agreed on with 400', async () => {
    const headers = { ...(await connect(app.url)), 'mcp-protocol-version': '1999-01-01' }
    const { status, message } = await read(post(app.url, request('tools/list'), headers))
    expect([status, message.error?.code]).toEqual([400, -32600])
  })

  test('may leave the version out', async () => {
    const headers = { ...(await connect(app.url)), 'mcp-protocol-version': '' }
    expect((await read(post(app.url, request('ping'), headers))).status).toBe(200)
  })

  test.each([
    ['', 406],
    ['application/json', 406],
    ['text/event-stream', 406],
    ['text/html', 406],
    ['application/json, text/event-stream', 200],
    ['*/*', 200],
    ['text/event-stream;q=0.5, application/json', 200],
  ])('with Accept "%s" answers %i', async (accept, expected) => {
    // fetch sends a header of its own when there is none.
    const given = accept === '' ? 'text/plain' : accept
    const headers = { ...(await connect(app.url)), accept: given }
    const { status } = await read(post(app.url, request('ping'), headers))
    expect(status).toBe(expected)
  })
})
