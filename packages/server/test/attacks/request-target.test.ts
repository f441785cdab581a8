/** Spellings of one path (parser differential): guard and router agree. */

import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'

const EVIL = 'https://evil.example'

let app: TestApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app.stop())

interface Sent {
  readonly method?: string
  readonly host?: string
  readonly origin?: string
}

/** Sends a request target exactly as it is written. */
function send(target: string, { method = 'POST', host, origin = EVIL }: Sent = {}) {
  const { port } = new URL(app.localUrl)
  const headers = {
    ...{ origin, accept: 'application/json, text/event-stream' },
    'content-type': 'application/json',
    ...(host !== undefined && { host }),
  }
  return new Promise<{ status: number; body: string; isOpen: boolean }>((resolve, reject) => {
    const sent = request({ port, path: target, method, headers }, (response) => {
      let body = ''
      response.on('data', (chunk) => {
        body += chunk
      })
      response.on('end', () => {
        const isOpen = response.headers['access-control-allow-origin'] === '*'
        resolve({ status: response.statusCode ?? 0, body, isOpen })
      })
    })
    sent.on('error', reject)
    sent.end(method === 'POST' ? '{}' : undefined)
  })
}

/** Nothing but `/token` answers like this. */
const isToken = ({ body }: { body: string }) =>
  body.includes('only application/x-www-form-urlencoded')

test.each([
  ...['/token', '/token?', '/token?a=/../mcp', '/%74oken', '/./token', '/x/../token', '/%2e/token'],
  ...['/mcp/../token', '/mcp/%2E%2e/token', 'http://localhost/token', '/token#x'],
])('%s is the open endpoint', async (target) => {
  const answer = await send(target)
  expect([answer.isOpen, isToken(answer)]).toEqual([true, true])
})

test.each([
  ...[
    '//token',
    '/TOKEN',
    '/token/',
    '/token//',
    '/token%2f',
    '/token%3f',
    '/%2574oken',
    '/token;x',
  ],
  ...[
    '/token%00',
    '/toke%6e/',
    '/token.',
    '/xtoken',
    '//x/token',
    '/token/../mcp',
    '/token/%2e%2e/mcp',
  ],
  ...[
    '/.well-known/../mcp',
    '/.well-known/%2e%2e/mcp',
    '/.well-known/%2E./mcp',
    '/.well-known/./../mcp',
  ],
  ...[
    '/.well-known/..\\mcp',
    '/.well-known\\..\\mcp',
    '/mcp',
    '/%6dcp',
    '/mcp#/token',
    '\\token\\..\\mcp',
  ],
  ...['http://localhost/mcp', 'http://localhost/.well-known/../mcp', '/mcp?/token', '/authorize'],
])('%s is not open to pages of other origins', async (target) => {
  const answer = await send(target)
  expect(isToken(answer)).toBe(false)
  expect([400, 403]).toContain(answer.status)
})

test.each([
  '/.well-known/oauth-protected-resource/mcp',
  '/%2ewell-known/oauth-protected-resource/mcp',
])('%s is read by any page', async (target) => {
  expect((await send(target, { method: 'GET' })).status).toBe(200)
})

test('the authority of an absolute target replaces the Host header', async () => {
  const foreign = await send('http://evil.example/livez', { method: 'GET', host: 'localhost' })
  expect(foreign.status).toBe(403)
  const guarded = { method: 'GET', host: 'localhost', origin: app.url }
  expect((await send('http://evil.example/mcp', guarded)).status).toBe(421)
  const own = await send('http://localhost/livez', { ...guarded, host: 'evil.example' })
  expect(own.status).toBe(200)
})

test.each(['ftp://localhost/token', 'localhost:80', '?', 'token'])(
  '%s is not a request target',
  async (target) => {
    expect((await send(target)).status).toBe(400)
  },
)
