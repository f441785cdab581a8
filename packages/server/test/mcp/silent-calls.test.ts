/**
 * Calls of the 2026 era that say nothing for seconds: the response becomes an event stream, since
 * proxies, hosts and clients close connections on which nothing arrives.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { probe } from '../fixtures/protocol/probe.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { connectClient, structured } from '../support/clients.ts'
import { type ModernOptions, PROTOCOL_CATALOG, postModern, read } from '../support/wire.ts'

const TOOL_TIMEOUT = 7

let app: TestApp
beforeAll(async () => {
  const env = { TOOL_TIMEOUT: String(TOOL_TIMEOUT) }
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG, env })
  // The fast path serves clients that the SDK has accepted before.
  await read(postModern(app.url, 'tools/list'))
})
afterAll(() => app.stop())

const NEW_CLIENT = { meta: { 'io.modelcontextprotocol/clientInfo': { name: 'new', version: '1' } } }

function hold(key: string, options: ModernOptions = {}): Promise<Response> {
  return postModern(app.url, 'tools/call', { name: 'hold', arguments: { key } }, options)
}

describe.concurrent('a silent call', () => {
  test.each<[string, ModernOptions]>([
    ['on the fast path', {}],
    ['of a client that is new', NEW_CLIENT],
  ])('%s is answered with an event stream before it has a result', async (name, options) => {
    const response = await hold(name, options)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(response.headers.get('x-accel-buffering')).toBe('no')
    probe(name).release()
    const { text, messages, message } = await read(response)
    expect(text).toMatch(/^: /)
    expect(messages).toHaveLength(1)
    const structuredContent = { aborted: false }
    expect(message).toMatchObject({ id: 1, result: { resultType: 'complete', structuredContent } })
    expect(message.result?._meta).toHaveProperty(['io.modelcontextprotocol/serverInfo'])
  })

  test('delivers the error of a tool that exceeds its time limit', async () => {
    const { headers, message } = await read(hold('time limit'))
    expect(headers.get('content-type')).toBe('text/event-stream')
    expect(message.result).toMatchObject({ isError: true })
  })

  test('is cancelled by a disconnect', async () => {
    const leaving = new AbortController()
    const response = await hold('disconnect', { signal: leaving.signal })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    leaving.abort()
    expect(await probe('disconnect').ended).toBe(true)
  })

  test('works in the official client', async () => {
    const { client } = await connectClient(app.url, '2026-07-28')
    const calling = client.callTool({ name: 'hold', arguments: { key: 'official' } })
    await probe('official').started
    setTimeout(() => probe('official').release(), 6000)
    expect(structured(await calling)).toEqual({ aborted: false })
    await client.close()
  })
})

test('a call with a result at once is answered with JSON', async () => {
  const params = { name: 'echo', arguments: { text: 'x' } }
  const { headers } = await read(postModern(app.url, 'tools/call', params))
  expect(headers.get('content-type')).toBe('application/json')
})
