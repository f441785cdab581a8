/**
 * DNS rebinding: foreign hosts and origins are refused before anything is allocated
 * (CVE-2025-66414).
 */

import { request as httpRequest } from 'node:http'
import { connect as connectSocket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { failingStore } from '../support/failing-store.ts'
import { INITIALIZE } from '../support/wire.ts'

interface Sent {
  readonly host?: string | undefined
  readonly origin?: string | readonly string[] | undefined
  readonly path?: string
  readonly method?: string
}

/** Sends `initialize`, or another request, with any Host, which `fetch` does not allow. */
function send(url: string, { host, origin, path = '/mcp', method = 'POST' }: Sent) {
  const { port } = new URL(url)
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...(host !== undefined && { host }),
    ...(origin !== undefined && { origin }),
  }
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, headers, agent: false }
    const sent = httpRequest(options as object, (response) => {
      const status = response.statusCode ?? 0
      text(response).then((body) => resolve({ status, body }), reject)
    })
    sent.on('error', reject)
    sent.end(method === 'POST' ? JSON.stringify(INITIALIZE) : undefined)
  })
}

const store = failingStore()
const productionStore = failingStore()
let app: TestApp
let production: TestApp
beforeAll(async () => {
  app = await startApp({ store, env: { ALLOWED_HOSTS: 'inner.example,ported.example:8443' } })
  production = await startApp({ store: productionStore, env: PRODUCTION })
})
beforeEach(() => {
  store.commands.length = 0
  productionStore.commands.length = 0
})
afterAll(() => Promise.all([app.stop(), production.stop()]))

const PRODUCTION = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://mcp.example.com',
  ALLOWED_ORIGINS: 'https://Inspector.example.com,vscode-webview://panel',
  ENCRYPTION_KEY: '11'.repeat(32),
  JWT_SECRET: '11'.repeat(16),
  REDIS_URL: 'redis://127.0.0.1:1',
  UPSTREAM_ISSUER: 'https://idp.example.com',
  UPSTREAM_CLIENT_ID: 'client',
  UPSTREAM_API_URL: 'https://api.example.com',
}

const FOREIGN_HOSTS = [
  'evil.com',
  'evil.com:6901',
  'evil.com@localhost',
  'localhost@evil.com',
  'localhost.evil.com',
  'evil.localhost',
  'evil-localhost',
  'localhost.',
  'LOCALHOST.evil.com',
  'localhost:evil',
  'localhost:80:80',
  'localhost:999999',
  'localhost,evil.com',
  'localhost/evil',
  'localhost#evil',
  'localhost?evil',
  'localhost\\evil',
  '127.0.0.2',
  '127.0.0.1.nip.io',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '0.0.0.0',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[0:0:0:0:0:0:0:1]',
  '[::1',
  '::1',
  '[::1]evil.com',
  'l%D0%BEcalhost',
  'null',
  '*',
]

describe('a host', () => {
  test.each(FOREIGN_HOSTS)('%s is 421, and nothing is stored', async (host) => {
    const { status, body } = await send(app.url, { host })
    expect(status).toBe(421)
    expect(JSON.parse(body).error.code).toBe(-32000)
    expect(store.commands).toEqual([])
  })

  test.each([
    ['empty', 'POST /mcp HTTP/1.1\r\nHost: \r\n'],
    ['missing', 'POST /mcp HTTP/1.1\r\n'],
    ['missing in the oldest HTTP', 'POST /mcp HTTP/1.0\r\n'],
    ['given twice', 'POST /mcp HTTP/1.1\r\nHost: evil.com\r\nHost: localhost\r\n'],
  ])('that is %s is refused', async (_what, head) => {
    const socket = connectSocket(Number(new URL(app.url).port), '127.0.0.1')
    socket.end(`${head}content-type: application/json\r\ncontent-length: 2\r\n\r\n{}`)
    const answer = await text(socket)
    expect(answer).toMatch(/^HTTP\/1\.1 (400|421) /)
    expect(store.commands).toEqual([])
  })

  test.each([
    'localhost',
    'LocalHost:6901',
    '127.0.0.1:1',
    '[::1]:6901',
    'inner.example',
    'INNER.example:8080',
    'ported.example:8443',
  ])('%s is served', async (host) => {
    expect((await send(app.url, { host })).status).toBe(200)
  })

  test('that is allowed with a port is not served with another one', async () => {
    for (const host of ['ported.example', 'ported.example:80']) {
      expect((await send(app.url, { host })).status).toBe(421)
    }
  })

  test.each(['/', '/connect/lnk_x', '/callback', '/demo/idp/auth', '/demo/api/x', '/nothing'])(
    'that is foreign is refused at %s as well',
    async (path) => {
      expect((await send(app.url, { host: 'evil.com', path, method: 'GET' })).status).toBe(421)
      expect(store.commands).toEqual([])
    },
  )

  test('may be anything for probes, which use the IP address', async () => {
    for (const path of ['/livez', '/readyz', '/livez?x']) {
      expect((await send(app.url, { host: '10.1.2.3:6901', path, method: 'GET' })).status).toBe(200)
    }
    for (const path of ['/livez/', '/livez/../mcp', '//livez', '/livez%2f..%2fmcp']) {
      expect((await send(app.url, { host: '10.1.2.3', path, method: 'GET' })).status).toBe(421)
    }
  })

  test('in the request line is not trusted', async () => {
    const path = 'http://evil.com/connect/lnk_x'
    const { status, body } = await send(app.url, { host: 'localhost', path, method: 'GET' })
    expect([400, 404, 410, 421]).toContain(status)
    expect(body).not.toContain('evil.com')
  })
})

const FOREIGN_ORIGINS = [
  'https://evil.com',
  'http://evil.com@localhost',
  'http://localhost@evil.com',
  'http://localhost.evil.com',
  'http://evil.localhost',
  'http://localhost.',
  'http://localhost/',
  'http://localhost:80',
  'http://LOCALHOST',
  'http://localhost:6901/mcp',
  'http://localhost, https://evil.com',
  'localhost',
  'localhost:6901',
  '//localhost',
  'null',
  'NULL',
  'undefined',
  'file://',
  'file:///',
  'data:text/html,x',
  'chrome-extension://abcdef',
  'ftp://localhost',
  'http://127.0.0.2',
  'http://127.1',
  'http://0.0.0.0',
  'http://[::ffff:7f00:1]',
  'http://[::1]evil.com',
  'http://::1',
  '*',
]

describe('an origin', () => {
  test.each(FOREIGN_ORIGINS)('%s is 403, and nothing is stored', async (origin) => {
    const { status, body } = await send(app.url, { origin })
    expect(status).toBe(403)
    expect(JSON.parse(body).error.code).toBe(-32003)
    expect(store.commands).toEqual([])
  })

  test('that is sent twice is refused', async () => {
    const origin = ['http://localhost', 'https://evil.com']
    expect((await send(app.url, { origin })).status).toBe(403)
  })

  test.each(['http://localhost', 'http://localhost:6274', 'http://127.0.0.1:5173', 'http://[::1]'])(
    '%s may call outside production, and not in it',
    async (origin) => {
      expect((await send(app.url, { origin })).status).toBe(200)
      const host = 'mcp.example.com'
      expect((await send(production.localUrl, { host, origin })).status).toBe(403)
    },
  )
})

describe('in production', () => {
  const host = 'mcp.example.com'

  test.each([
    undefined,
    'https://mcp.example.com',
    'https://inspector.example.com',
    'vscode-webview://panel',
  ])('the origin %s may call', async (origin) => {
    expect((await send(production.localUrl, { host, origin })).status).toBe(200)
  })

  test.each([
    'http://mcp.example.com',
    'https://mcp.example.com:8443',
    'https://a.mcp.example.com',
  ])('the origin %s may not', async (origin) => {
    expect((await send(production.localUrl, { host, origin })).status).toBe(403)
    expect(productionStore.commands).toEqual([])
  })
})
