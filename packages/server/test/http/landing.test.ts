/** `/`: a page for people, JSON for programs, without private data. */

import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { sha256 } from '../../src/crypto/hash.ts'
import { createAuthorizedClients } from '../../src/session/authorized-clients.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { authorizeClient } from '../support/consented-client.ts'
import { failingStore } from '../support/failing-store.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { recordingStore } from '../support/recording-store.ts'

const CHROME = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'

let app: TestApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app.stop())

const others: TestApp[] = []
afterEach(async () => {
  await Promise.all(others.splice(0).map((other) => other.stop()))
})
async function start(options: Parameters<typeof startApp>[0]): Promise<TestApp> {
  const other = await startApp(options)
  others.push(other)
  return other
}

async function open({ localUrl }: TestApp, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(localUrl, { headers: { accept: CHROME, ...headers } })
  return { response, text: await response.text() }
}

/** Authorizes a client as consent does, so that the page can list it. */
async function remembered(at: Pick<TestApp, 'store' | 'url'>) {
  const client = await authorizeClient(at)
  const { sessions, sessionId, browser } = client
  const deps = { store: at.store, sessions }
  await createAuthorizedClients(deps, { ttlSeconds: 60 }).remember(sha256(browser), sessionId)
  return client
}

describe('the format of the response', () => {
  test.each([
    ['curl', '*/*'],
    ['a program', 'application/json'],
    ['a program that accepts everything', 'application/json, text/plain, */*'],
    ['a client that prefers JSON', 'text/html;q=0.5, application/json'],
    ['a client that excludes HTML', 'text/html;q=0, */*'],
    ['a client that accepts neither', 'image/png'],
  ])('is JSON for %s', async (_who, accept) => {
    const { response, text } = await open(app, { accept })
    expect(response.headers.get('content-type')).toContain('application/json')
    expect(response.headers.get('vary')).toBe('Accept')
    const version = expect.any(String)
    expect(JSON.parse(text)).toEqual({ service: 'MCP Template', version, status: 'ok' })
  })

  test.each([
    ['Chrome', CHROME],
    ['Firefox', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
    ['a client that prefers HTML', 'application/json;q=0.4, text/html;q=0.9'],
    ['a client that accepts any text', 'text/*'],
  ])('is a page for %s', async (_who, accept) => {
    const { response } = await open(app, { accept })
    expect(response.headers.get('content-type')).toContain('text/html')
    expect(response.headers.get('vary')).toBe('Accept')
  })
})

describe('the page', () => {
  test('names the server and its URL', async () => {
    const at = await start({
      env: {
        APP_NAME: 'Example Bank',
        APP_VERSION: '7.8.9',
        APP_DESCRIPTION: 'Reads your accounts.',
        APP_SUPPORT_URL: 'https://bank.example/help',
        APP_COLOR: '#0b7285',
      },
    })
    const { text } = await open(at)
    for (const part of [
      '<title>Example Bank</title>',
      'Reads your accounts.',
      `<code>${at.url}/mcp</code>`,
      '7.8.9',
      'href="https://bank.example/help"',
      '--accent: #0b7285',
      'Open to every client that reaches it.',
    ]) {
      expect(text).toContain(part)
    }
  })

  test('describes each tool and its input', async () => {
    const { text } = await open(app)
    const rows = [...text.matchAll(/<li><h3>[\s\S]*?<\/li>/g)].map(([row]) => row)
    expect(rows).toHaveLength(4)
    const row = (name: string) =>
      (rows.find((each) => each.includes(`<code>${name}</code></h3>`)) ?? '')
        .replaceAll(/<[^>]+>/g, ' ')
        .replaceAll(/\s+/g, ' ')
    expect(row('service')).toMatch(
      /Account .*Reads one of the user.*Needs sign-in Only reads Scope service:read/,
    )
    expect(row('logout')).toContain('May delete or end things')
    expect(row('session')).toContain('Only reads')
    expect(row('login')).not.toMatch(/Only reads|May delete|Needs sign-in/)
  })

  test.each([
    ['is listed', {}, true],
    ['is listed', { MCP_AUTH: 'optional', LANDING_TOOLS: 'auto' }, true],
    ['is hidden', { LANDING_TOOLS: 'hide' }, false],
    ['is hidden', { MCP_AUTH: 'required' }, false],
    ['is listed', { MCP_AUTH: 'required', LANDING_TOOLS: 'show' }, true],
  ])('the list of tools %s with %j', async (_how, env, isShown) => {
    const at = await start({ env })
    const { text: json } = await open(at, { accept: 'application/json' })
    const { text } = await open(at)
    expect(/<code>(service|logout)<\/code>|service:read|Reads one of/.test(text)).toBe(isShown)
    expect(text).toContain('Signed in?')
    expect(json).not.toContain('service:read')
  })

  test('names the issuer of tokens, if one is needed', async () => {
    const { text } = await open(await start({ env: { MCP_AUTH: 'required' } }))
    expect(text).toContain('With an access token.')
    expect(text).toContain('$TOKEN')
    expect(text).not.toContain('Open to every client')
  })

  test('follows PUBLIC_URL, whatever the request', async () => {
    const at = await start({
      env: { PUBLIC_URL: 'https://mcp.example.com', ALLOWED_HOSTS: 'other.example' },
    })
    const poison = { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' }
    const { text } = await open(at, poison)
    expect(text).toContain('https://mcp.example.com/mcp')
    expect(text).not.toMatch(/evil\.example|http:\/\/localhost/)
  })

  test('shows names as text, whatever is in them', async () => {
    const name = `<script>alert(1)</script>&"'><b>`
    const { text } = await open(await start({ env: { APP_NAME: name, APP_DESCRIPTION: name } }))
    expect(text).not.toMatch(/<script|<b>/)
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;')
  })

  test('allows its one style and nothing else, and is small', async () => {
    const { response, text } = await open(app)
    const style = /<style>([\s\S]*?)<\/style>/.exec(text)?.[1] ?? ''
    const hash = createHash('sha256').update(style).digest('base64')
    expect(response.headers.get('content-security-policy')).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; frame-ancestors 'none'`,
    )
    expect(text).not.toMatch(/ style=|<script|<img|<link|@import|url\(/)
    expect(Buffer.byteLength(text)).toBeLessThan(30_000)
  })
})

describe('the sign-in state', () => {
  test('is shown to the browser that authorized the client, and to no other', async () => {
    const { sessions, sessionId, cookie } = await remembered(app)
    const before = await open(app, { cookie })
    expect(before.text).toMatch(/A consented client[\s\S]*Not signed in/)
    await sessions.update(sessionId, 'state', 'authenticated')
    const { response, text } = await open(app, { cookie })
    expect(text).toMatch(/A consented client[\s\S]*>Signed in</)
    expect(text).not.toMatch(/Not signed in|ses_/)
    expect(response.headers.get('cache-control')).toBe('no-store')
    for (const other of ['', 'mcp-browser=x', `mcp-browser=${'a'.repeat(43)}`]) {
      expect((await open(app, { cookie: other })).text).toContain('Not that this browser knows')
    }
    await sessions.end(sessionId)
    expect((await open(app, { cookie })).text).toContain('Not that this browser knows')
  })

  test('is shown from the authorization of a client on', async () => {
    const client = await createOAuthClient(app.url, { metadata: { client_name: 'Real <client>' } })
    const { browser } = await client.authorize()
    const { text } = await browser.open(app.url)
    expect(text).toMatch(/Real &lt;client&gt;[\s\S]*Not signed in/)
  })

  test('is omitted if no tool needs a sign-in', async () => {
    const catalogDirectory = join(import.meta.dirname, '../../../../conformance')
    const { text } = await open(await start({ catalogDirectory }))
    expect(text).not.toMatch(/signed in|sign in/i)
    expect(Buffer.byteLength(text)).toBeLessThan(30_000)
  })

  test('is not shown with an external issuer: browsers are not known here', async () => {
    const env = { OAUTH_ISSUER: 'http://localhost:1', MCP_AUTH: 'required' }
    const { text } = await open(await start({ env }))
    expect(text).not.toMatch(/Signed in\?|This browser knows/)
    expect(text).toContain('You sign in for one client at a time')
    expect(text).toContain('authorize them at\n        <strong>localhost:1</strong>')
  })

  test('is read without writes', async () => {
    const { store, written } = recordingStore()
    const at = await start({ store })
    const { cookie } = await remembered(at)
    written.length = 0
    expect((await open(at, { cookie })).text).toContain('A consented client')
    expect(written).toEqual([])
  })

  test('costs the store 600 reads a minute at most, also with forged cookies', async () => {
    const store = failingStore()
    const at = await start({ store, env: { RATE_LIMIT: 'on' } })
    const ask = (turn: number) =>
      open(at, { cookie: `mcp-browser=${String(turn).padStart(43, 'x')}` })
    for (let turn = 0; turn < 600; turn += 50) {
      const asked = await Promise.all(Array.from({ length: 50 }, (_, index) => ask(turn + index)))
      expect(new Set(asked.map(({ response }) => response.status))).toEqual(new Set([200]))
    }
    expect((await ask(600)).response.status).toBe(429)
    store.commands.length = 0
    const { response, text } = await ask(601)
    expect([response.status, response.headers.has('retry-after')]).toEqual([429, true])
    expect(response.headers.get('ratelimit')).toContain('"page";r=0')
    expect(text).toContain('Too many requests')
    for (const nobody of [{}, { accept: '*/*' }]) {
      expect((await open(at, nobody)).response.status).toBe(200)
    }
    expect(store.commands).toEqual([])
  })

  test('is unknown while the store is unavailable; the rest of the page needs no store', async () => {
    const store = failingStore()
    const at = await start({ store, env: { RATE_LIMIT: 'on' } })
    const { cookie } = await remembered(at)
    store.disconnect()
    const { response, text } = await open(at, { cookie })
    expect(response.status).toBe(200)
    expect(text).toContain('Not available just now.')
    expect(text).toContain('Add to Cursor')
    store.commands.length = 0
    expect((await open(at)).text).toContain('Not that this browser knows')
    expect(store.commands).toEqual([])
    store.reconnect()
  })
})
