/** Routes of a team that hang, and requests of other sites: refused in the format of the route. */

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMcp } from '../../src/create-mcp.ts'
import { startTestServer, type TestServer } from '../../src/testing/index.ts'

const { defineServer, defineRoute } = createMcp({})
const aborted: string[] = []

const routes = [
  defineRoute({
    for: 'people',
    method: 'POST',
    path: '/reset/:token',
    handle: ({ page }) => page({ title: 'Done', body: 'Done.' }),
  }),
  defineRoute({
    for: 'programs',
    method: 'POST',
    path: '/stuck/:how',
    timeoutSeconds: 0.05,
    handle: ({ params, signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted.push(params.how ?? '')
          if (params.how === 'late') setTimeout(() => reject(new Error('too late')), 20)
        })
      }),
  }),
  defineRoute({
    for: 'people',
    method: 'GET',
    path: '/stuck-page',
    timeoutSeconds: 0.05,
    handle: () => new Promise(() => undefined),
  }),
  defineRoute({
    for: 'programs',
    method: 'GET',
    path: '/feed',
    timeoutSeconds: 0.05,
    handle({ signal }) {
      const parts = ['one', 'two', 'three']
      const body = new ReadableStream({
        async pull(controller) {
          await delay(60)
          const part = parts.shift()
          if (part === undefined) controller.close()
          else controller.enqueue(new TextEncoder().encode(signal.aborted ? 'aborted' : part))
        },
      })
      return new Response(body)
    },
  }),
]

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ server: defineServer({ name: 'desk', routes }) })
})
afterAll(() => server.stop())

const send = (path: string, init: RequestInit = {}) => fetch(`${server.url}${path}`, init)
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

describe('a request of another site', () => {
  const headers = { origin: 'https://evil.example' }
  it('gets a page at a page, also at one of the framework', async () => {
    const form = { method: 'POST', body: 'password=long-enough', headers: { ...FORM, ...headers } }
    for (const path of ['/reset/x', '/reset/x/', '/connect/x', '/callback']) {
      const response = await send(path, path === '/callback' ? { headers } : form)
      const isServed = path !== '/reset/x/'
      expect([path, response.status]).toEqual([path, 403])
      expect(response.headers.get('content-type')).toBe(
        isServed ? 'text/html; charset=UTF-8' : 'application/json',
      )
      if (isServed) expect(await response.text()).toContain('This origin may not call the server.')
    }
  })

  it('gets a problem document at a route for programs, without reaching it', async () => {
    const before = aborted.length
    const response = await send('/stuck/x', { method: 'POST', headers, body: 'x'.repeat(100_000) })
    expect([response.status, await response.json()]).toMatchObject([403, { code: 'forbidden' }])
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(aborted).toHaveLength(before)
  })

  it('gets a JSON-RPC error at /mcp, as before', async () => {
    const response = await send('/mcp', { method: 'POST', headers, body: '{}' })
    expect([response.status, await response.json()]).toMatchObject([403, { jsonrpc: '2.0' }])
  })
})

describe('a route that does not answer', () => {
  it.each(['never', 'late'])('is aborted after its time limit: %s', async (how) => {
    const response = await send(`/stuck/${how}`, { method: 'POST' })
    expect([response.status, await response.json()]).toMatchObject([503, { code: 'unavailable' }])
    expect(aborted).toContain(how)
    await delay(50)
    expect(JSON.stringify(server.log())).not.toContain('too late')
  })

  it('for people gets a page', async () => {
    const response = await send('/stuck-page')
    expect([response.status, response.headers.get('content-type')]).toEqual([
      503,
      'text/html; charset=UTF-8',
    ])
  })

  it('may stream for longer once it has started a response', async () => {
    expect(await (await send('/feed')).text()).toBe('onetwothree')
  })
})
