/** The responses of every route, and of unknown ones. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHttpServer } from '../../src/http/http-server.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { failingStore } from '../support/failing-store.ts'
import { expectPageParts } from '../support/page-parts.ts'
import { INITIALIZE, post, postModern, read } from '../support/wire.ts'

const store = failingStore()
let app: TestApp
beforeAll(async () => {
  app = await startApp({ store })
})
afterAll(() => app.stop())

test.each([
  '/nothing',
  '/mcp//',
  '/mcp/x',
  '/MCP',
  '//mcp',
  '/connect',
  '/connect/',
  '/connect/a/b',
  '/callback/x',
  '/.env',
  '/.git/config',
  '/src/main.ts',
  '/%2e%2e/etc/passwd',
  '/%00',
  '/%',
  '/\u00e4',
])('%s is 404', async (path) => {
  const { status, headers, message, text } = await read(fetch(app.url + path))
  expect([status, message.error?.code]).toEqual([404, -32001])
  expect(headers.get('content-type')).toBe('application/json')
  expect(text).not.toContain(path)
})

const CHROME = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'

test.each([
  '/nothing',
  '/mcp/x',
  '/callback/x',
  '/.well-known/nothing',
  '/authorize/a/b',
  '/token/x',
])('%s is a page in a browser, and JSON for clients', async (path) => {
  const response = await fetch(app.url + path, { headers: { accept: CHROME } })
  const text = await response.text()
  expect(response.status).toBe(404)
  expectPageParts({ text, headers: response.headers }, { heading: 'Page not found', buttons: [] })
  expect(text).toContain('<a href="/">Go to the start page of MCP Template</a>')
  expect(text).not.toContain(path)
  for (const accept of [
    'application/json, text/event-stream',
    'text/event-stream',
    'application/json, text/html;q=0.5',
    'text/html;q=0, */*',
  ]) {
    const { status, headers } = await fetch(app.url + path, { headers: { accept } })
    expect([status, headers.get('content-type')]).toEqual([404, 'application/json'])
  }
})

test.each([
  ['PUT', '/mcp', 'POST, GET, HEAD, DELETE'],
  ['PATCH', '/mcp', 'POST, GET, HEAD, DELETE'],
  ['OPTIONS', '/mcp', 'POST, GET, HEAD, DELETE'],
  ['POST', '/', 'GET, HEAD'],
  ['DELETE', '/livez', 'GET, HEAD'],
  ['POST', '/readyz', 'GET, HEAD'],
  ['POST', '/callback?state=x', 'GET, HEAD'],
  ['PUT', '/redirect', 'GET, HEAD'],
  ['DELETE', '/connect/lnk_x', 'GET, HEAD, POST'],
])('%s %s is 405 with Allow', async (method, path, allow) => {
  store.commands.length = 0
  const { status, headers, message } = await read(fetch(app.url + path, { method }))
  expect([status, message.error?.code]).toEqual([405, -32000])
  expect(headers.get('allow')).toBe(allow)
  expect(store.commands).toEqual([])
})

test('HEAD is answered like GET, without a body', async () => {
  for (const path of ['/', '/livez', '/readyz']) {
    const response = await fetch(app.url + path, { method: 'HEAD' })
    expect([response.status, await response.text()]).toEqual([200, ''])
  }
  expect((await fetch(`${app.url}/mcp`, { method: 'HEAD' })).status).toBe(405)
})

test('HEAD of a stream is refused, because it would have no end', async () => {
  store.commands.length = 0
  const response = await fetch(`${app.url}/sse`, { method: 'HEAD' })
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET'])
  expect(store.commands).toEqual([])
})

test('a malformed token is refused before any other work', async () => {
  store.commands.length = 0
  for (const authorization of ['Bearer x', 'Basic YTpi', 'x'.repeat(5000)]) {
    for (const answer of [
      await read(post(app.url, INITIALIZE, { authorization })),
      await read(postModern(app.url, 'tools/list', {}, { headers: { authorization } })),
    ]) {
      expect([answer.status, answer.message.error?.code]).toEqual([401, -32001])
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer .*resource_metadata="/)
      expect(answer.text).not.toContain(authorization)
    }
  }
  expect(store.commands).toEqual([])
})

test('responses that depend on the caller are not cacheable', async () => {
  const authorization = 'Bearer x'
  const headers = { 'content-type': 'application/json' }
  for (const [response, status] of [
    [await postModern(app.url, 'tools/list'), 200],
    [await post(app.url, INITIALIZE), 200],
    [await post(app.url, INITIALIZE, { authorization }), 401],
    [await post(app.url, INITIALIZE, { origin: 'https://evil.example' }), 403],
    [await fetch(`${app.url}/http`, { method: 'POST', headers, body: '{"method":"ping"}' }), 401],
    [await fetch(`${app.url}/messages`, { method: 'POST', headers, body: '{}' }), 400],
  ] as const) {
    expect([response.status, response.headers.get('cache-control')]).toEqual([status, 'no-store'])
    await response.text()
  }
  const stream = await fetch(`${app.url}/sse`)
  expect(stream.headers.get('cache-control')).toContain('no-cache')
  await stream.body?.cancel()
})

test('every response has a request id, and an unsafe one is replaced', async () => {
  const given = await fetch(`${app.url}/nothing`, { headers: { 'x-request-id': 'trace-1' } })
  expect(given.headers.get('x-request-id')).toBe('trace-1')
  for (const harmful of ['a b', '"', 'x'.repeat(65), '<script>']) {
    const { headers } = await fetch(app.url, { headers: { 'x-request-id': harmful } })
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  }
})

test('slow headers and bodies time out', () => {
  const { server } = createHttpServer(() => undefined)
  expect(server.headersTimeout).toBe(10_000)
  expect(server.requestTimeout).toBe(30_000)
})

test('readiness fails before the server stops', async () => {
  const own = await startApp()
  expect((await fetch(`${own.url}/readyz`)).status).toBe(200)
  const stopped = own.stop()
  // A probe on an open connection gets it; a new connection is refused.
  const probe = await fetch(`${own.url}/readyz`).catch(() => undefined)
  expect([503, undefined]).toContain(probe?.status)
  await stopped
})
