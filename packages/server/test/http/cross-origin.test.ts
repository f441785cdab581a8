/** CORS for pages of allowed origins. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { INITIALIZE, post } from '../support/wire.ts'

const ORIGIN = 'https://inspector.example.com'

let app: TestApp
beforeAll(async () => {
  app = await startApp({ env: { ALLOWED_ORIGINS: ORIGIN } })
})
afterAll(() => app.stop())

function preflight(origin: string) {
  const asked = { 'access-control-request-method': 'POST', origin }
  return fetch(`${app.url}/mcp`, { method: 'OPTIONS', headers: asked })
}

test('an allowed origin may send what clients send', async () => {
  const { status, headers } = await preflight(ORIGIN)
  expect(status).toBe(204)
  expect(headers.get('access-control-allow-origin')).toBe(ORIGIN)
  expect(headers.get('access-control-allow-methods')).toBe('GET,POST,DELETE')
  expect(headers.get('access-control-allow-headers')).toMatch(/Mcp-Session-Id/)
  expect(headers.get('access-control-allow-credentials')).toBeNull()
})

test('instrumentation of pages may trace requests (W3C Trace Context)', async () => {
  const { headers } = await preflight(ORIGIN)
  const allowed = headers.get('access-control-allow-headers')?.toLowerCase().split(',')
  expect(allowed).toEqual(expect.arrayContaining(['traceparent', 'tracestate', 'baggage']))
})

test('it may read answers, refusals among them, and the id of its connection', async () => {
  for (const body of [INITIALIZE, '{']) {
    const { headers } = await post(app.url, body, { origin: ORIGIN })
    expect(headers.get('access-control-allow-origin')).toBe(ORIGIN)
    expect(headers.get('access-control-expose-headers')).toMatch(/Mcp-Session-Id/)
    expect(headers.get('vary')).toMatch(/Origin/i)
  }
})

test('another origin gets no CORS headers', async () => {
  const { status, headers } = await preflight('https://evil.example.com')
  expect(status).toBe(403)
  expect(headers.get('access-control-allow-origin')).toBeNull()
})

test('pages for people stay out of reach of other origins', async () => {
  const { headers } = await fetch(app.url, { headers: { origin: ORIGIN } })
  expect(headers.get('access-control-allow-origin')).toBeNull()
})

test('headers of arguments are allowed by the names that are asked for (SEP-2243)', async () => {
  const allowedOf = async (requested: string) => {
    const fields = { 'access-control-request-method': 'POST', origin: ORIGIN }
    const headers = { ...fields, 'access-control-request-headers': requested }
    const answer = await fetch(`${app.url}/mcp`, { method: 'OPTIONS', headers })
    expect(answer.status).toBe(204)
    return (answer.headers.get('access-control-allow-headers') ?? '').toLowerCase().split(',')
  }
  const allowed = await allowedOf('content-type, mcp-param-region, Mcp-Param-Ticket_Id, x-other')
  expect(allowed).toEqual(
    expect.arrayContaining(['content-type', 'mcp-param-region', 'mcp-param-ticket_id']),
  )
  expect(allowed).not.toContain('x-other')
  const many = Array.from({ length: 100 }, (_, index) => `mcp-param-${index}`).join(',')
  expect((await allowedOf(many)).filter((name) => name.startsWith('mcp-param-'))).toHaveLength(32)
})
