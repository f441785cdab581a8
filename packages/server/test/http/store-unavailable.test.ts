/**
 * While the store is unavailable: 503 and `Retry-After`, never a response on which clients discard
 * credentials.
 */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { connectClient, structured } from '../support/clients.ts'
import { failingStore } from '../support/failing-store.ts'
import { expectPageParts } from '../support/page-parts.ts'
import {
  type Answer,
  connect,
  INITIALIZE,
  post,
  postModern,
  read,
  request,
} from '../support/wire.ts'

const store = failingStore()
let app: TestApp
beforeAll(async () => {
  app = await startApp({ store })
})
afterEach(() => store.reconnect())
afterAll(() => app.stop())

function expectUnavailable({ status, headers, message, text }: Answer): void {
  expect(status).toBe(503)
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  expect(headers.get('content-type')).toBe('application/json')
  expect(message.error).toMatchObject({ code: -32000, data: { code: 'unavailable' } })
  expect(text).not.toContain('10.20.30.40')
}

async function expectPage(response: Response, title: string): Promise<void> {
  expect(response.headers.get('content-type')).toMatch(/^text\/html/)
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(response.headers.get('cache-control')).toBe('no-store')
  const text = await response.text()
  expect(text).toContain(`<h1>${title}</h1>`)
  expectPageParts({ text, headers: response.headers }, { heading: title, buttons: [] })
  expect(text).toContain('>MCP Template</header>')
  expect(text).not.toMatch(/jsonrpc|session store/)
}

describe('in the 2025 era', () => {
  test('initialize is 503', async () => {
    store.disconnect()
    expectUnavailable(await read(post(app.url, INITIALIZE)))
  })

  test('an MCP session is not reported as unknown, and works again afterwards', async () => {
    const headers = await connect(app.url)
    store.disconnect()
    expectUnavailable(await read(post(app.url, request('tools/list', {}, 5), headers)))
    expectUnavailable(await read(fetch(`${app.url}/mcp`, { method: 'DELETE', headers })))
    store.reconnect()
    const { status, message } = await read(post(app.url, request('tools/list', {}, 6), headers))
    expect([status, message.id]).toEqual([200, 6])
  })

  test('a call that loses the store midway is 503, too', async () => {
    const headers = await connect(app.url)
    store.disconnect(':session')
    const call = request('tools/call', { name: 'session' }, 'half-way')
    const answer = await read(post(app.url, call, headers))
    expectUnavailable(answer)
    expect(answer.message.id).toBe('half-way')
  })

  test('the official client gets an error, keeps its MCP session and continues', async () => {
    const { client } = await connectClient(app.url, '2025-11-25')
    store.disconnect()
    await expect(client.callTool({ name: 'session', arguments: {} })).rejects.toThrow(/503|again/)
    store.reconnect()
    const { state } = structured<{ state: string }>(
      await client.callTool({ name: 'session', arguments: {} }),
    )
    expect(state).toBe('anonymous')
    await client.close()
  })
})

describe('in the 2026 era', () => {
  test('a call that needs a session is 503', async () => {
    store.disconnect()
    const answer = await read(postModern(app.url, 'tools/call', { name: 'login' }, { id: 'x' }))
    expectUnavailable(answer)
    expect(answer.message.id).toBe('x')
  })

  test('a session handle is not reported as unknown', async () => {
    const login = await read(postModern(app.url, 'tools/call', { name: 'login' }))
    const { session } = structured<{ session: string }>(login.message.result ?? {})
    store.disconnect()
    const params = { name: 'session', arguments: { session } }
    expectUnavailable(await read(postModern(app.url, 'tools/call', params)))
    store.reconnect()
    const { message } = await read(postModern(app.url, 'tools/call', params))
    expect(message.result).toMatchObject({ structuredContent: { state: 'anonymous' } })
  })

  test('calls without a session are served', async () => {
    store.disconnect()
    for (const method of ['server/discover', 'tools/list']) {
      expect((await read(postModern(app.url, method))).status).toBe(200)
    }
    const called = await read(postModern(app.url, 'tools/call', { name: 'session' }))
    expect(called.message.result).toMatchObject({ structuredContent: { state: 'anonymous' } })
  })
})

describe('in the browser', () => {
  test.each(['/connect/lnk_x', '/callback?state=x&code=y', '/redirect?state=x', '/readyz'])(
    '%s is 503',
    async (path) => {
      store.disconnect()
      const response = await fetch(app.url + path)
      expect(response.status).toBe(503)
      expect(response.headers.get('retry-after')).toBe('1')
      expect(response.headers.getSetCookie()).toEqual([])
      expect(await response.text()).not.toMatch(/10\.20\.30\.40|ECONN|\.ts/)
    },
  )

  test.each(['/connect/lnk_x', '/callback?state=x&code=y', '/redirect?state=x'])(
    '%s has a page for people',
    async (path) => {
      store.disconnect()
      const response = await fetch(app.url + path)
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
      await expectPage(response, 'Not available just now')
    },
  )

  test.each([
    ['from another site', { origin: 'http://localhost:1' }, 'code=x', 403],
    ['of another type', { 'content-type': 'text/plain' }, 'code=x', 415],
    ['that is too long', {}, `code=${'x'.repeat(5000)}`, 413],
    ['with two codes', {}, 'code=x&code=y', 400],
  ])('a form %s is refused with a page', async (_what, extra, text, status) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', ...extra }
    for (const path of ['/connect/lnk_x', '/consent/x']) {
      const body = text.replaceAll('code', path.startsWith('/consent') ? 'decision' : 'code')
      const response = await fetch(app.url + path, { method: 'POST', headers, body })
      expect(response.status).toBe(status)
      await expectPage(response, 'Something went wrong')
    }
  })

  test('the process is live, and serves static responses', async () => {
    store.disconnect()
    expect((await fetch(`${app.url}/livez`)).status).toBe(200)
    expect((await fetch(`${app.url}/`)).status).toBe(200)
  })
})
