/** A new route: one row of the table gives it all guards. */

import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHostGuard } from '../../src/http/allowed-hosts.ts'
import { guardRoutes } from '../../src/http/guard-routes.ts'
import type { HttpEnv } from '../../src/http/http-env.ts'
import { createHttpServer, type HttpHandlers, listen } from '../../src/http/http-server.ts'
import { createPageTheme } from '../../src/http/pages/page-theme.ts'
import { createRateLimiting } from '../../src/http/rate-limit.ts'
import { checkRouted, createRouteTable } from '../../src/http/routes.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createRateLimits } from '../../src/store/rate-limits.ts'
import { recordingLogger } from '../../src/testing/recording-logger.ts'

const SECRET = 'ses_kQ3vT9zLxWm2'
const isJsonRpc = (text: string) => JSON.parse(text).error.code === -32000

describe('a new route', () => {
  const small = createRouteTable([
    {
      ...{ path: '/reset/:token', methods: ['GET', 'HEAD', 'POST'] },
      ...{ audience: 'people', errors: 'page', maxBodyBytes: 100 },
      limit: { name: 'reset', calls: 3 },
    },
    {
      ...{ path: '/hooks/:name', methods: ['POST'], audience: 'programs', errors: 'json-rpc' },
      ...{ maxBodyBytes: 50, origins: 'any', limit: { name: 'hooks', calls: 1000 } },
    },
    {
      ...{ path: '/alive', methods: ['GET', 'HEAD'], audience: 'programs', errors: 'json-rpc' },
      isProbe: true,
    },
  ])
  const { log, lines } = recordingLogger()
  const limits = createRateLimits(
    {
      store: createMemoryStore(),
      log,
      monotonicNow: () => performance.now(),
      onOver: () => undefined,
    },
    { rateLimit: true },
  )
  const options = { rateLimit: true, bodyLimitBytes: 1000, callerRate: 9, addressRate: 9 }
  const limited = createRateLimiting(limits, {
    ...options,
    trustedProxies: 1,
    countsThisMachine: true,
  })
  let handlers: HttpHandlers
  const { server, drain } = createHttpServer(() => handlers)
  let url: string

  beforeAll(async () => {
    url = `http://localhost:${await listen(server, '127.0.0.1', 0)}`
    const theme = createPageTheme({ name: 'Acme', publicUrl: url, color: '#1f4fbf' })
    const routed = new Hono<HttpEnv>()
    guardRoutes(routed, small, { log, theme, publicUrl: url, limited })
    routed.get('/reset/:token', (c) => c.text('a form'))
    routed.post('/reset/:token', async (c) => c.text(await c.req.text()))
    routed.post('/hooks/:name', async (c) => c.text(await c.req.text()))
    routed.get('/alive', (c) => c.text('yes'))
    checkRouted(routed.routes, small)
    const none = { hosts: [], origins: [], loopbackOrigins: false }
    const guard = createHostGuard({ ...none, publicUrl: url, routes: small })
    handlers = { guard, fetch: routed.fetch, mounts: new Map() }
  })
  afterAll(() => drain(1000))

  let addresses = 0
  /** Each request has an address of its own, unless one is given. */
  async function send(path: string, { headers, ...init }: RequestInit = {}, address = '') {
    addresses += 1
    const from = { 'x-forwarded-for': address === '' ? `192.0.2.${addresses}` : address }
    const response = await fetch(url + path, { ...init, headers: { ...from, ...headers } })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
  const form = (body: string, headers = {}) => ({ method: 'POST', body, headers })

  test('has 405 with Allow, in its format', async () => {
    const person = await send(`/reset/${SECRET}`, {
      method: 'PUT',
      headers: { accept: 'text/html' },
    })
    expect([person.status, person.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST'])
    expect(person.text).toContain('<p role="alert">Use GET or')
    const program = await send('/hooks/bill')
    expect([program.status, program.headers.get('allow')]).toEqual([405, 'POST'])
    expect(isJsonRpc(program.text)).toBe(true)
  })

  test('has its pattern as label, and is found by it', async () => {
    await send(`/reset/${SECRET}?x=1`)
    const requests = lines().filter(({ msg }) => msg === 'request')
    expect(requests.at(-1)).toMatchObject({ method: 'GET', route: '/reset/:token', status: 200 })
    expect(JSON.stringify(lines())).not.toContain(SECRET)
    expect(small.labelOf(`/reset/${SECRET}?x=1`)).toBe('/reset/:token')
    expect(small.find(`/reset/${SECRET}`)?.errors).toBe('page')
    expect([small.find('/reset'), small.labelOf('/reset')]).toEqual([undefined, 'unknown'])
  })

  test('counts requests by address', async () => {
    const get = async () => (await send('/reset/x', {}, '198.51.100.7')).status
    expect([await get(), await get(), await get(), await get()]).toEqual([200, 200, 200, 429])
    expect((await send('/reset/x')).status).toBe(200)
  })

  test('bounds bodies, of declared length or chunked, in its format', async () => {
    expect((await send('/reset/x', form('a'.repeat(100)))).text).toHaveLength(100)
    const page = await send('/reset/x', form('a'.repeat(101)))
    expect([page.status, page.text]).toEqual([413, expect.stringContaining('too large')])
    expect((await send('/hooks/x', form('a'.repeat(50)))).status).toBe(200)
    const body = new ReadableStream({
      start(controller) {
        for (let count = 0; count < 51; count += 1) controller.enqueue(new Uint8Array(1))
        controller.close()
      },
    })
    const chunked = await send('/hooks/x', { method: 'POST', body, duplex: 'half' } as RequestInit)
    expect([chunked.status, isJsonRpc(chunked.text)]).toEqual([413, true])
  })

  test('accepts forms of its own pages only, and cross-origin calls where CORS is open', async () => {
    const cross = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
    expect((await send('/reset/x', form('a', cross))).status).toBe(403)
    expect((await send('/reset/x', form('a', { 'sec-fetch-site': 'cross-site' }))).status).toBe(403)
    const open = await send('/hooks/x', form('a', cross))
    expect([open.status, open.headers.get('access-control-allow-origin')]).toEqual([200, '*'])
    const headers = { ...cross, 'access-control-request-method': 'POST' }
    const preflight = await send('/hooks/x', { method: 'OPTIONS', headers })
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([
      204,
      'POST',
    ])
    expect((await send('/alive', { headers: cross })).status).toBe(403)
  })

  test('is a probe under any host, logged for debugging only', async () => {
    const { port } = new URL(url)
    const probe = async (path: string) => {
      const request = get({ port, path, headers: { host: '10.0.0.7' } })
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      response.resume()
      return response.statusCode
    }
    expect([await probe('/alive'), await probe('/reset/x')]).toEqual([200, 421])
    const line = lines().find(({ route }) => route === '/alive')
    expect(line?.level).toBe('debug')
  })

  test('must be in the table, with its methods, and be routed, with a bound for bodies', () => {
    const table = createRouteTable([
      { path: '/reset/:token', methods: ['GET', 'HEAD'], audience: 'people', errors: 'page' },
    ])
    const get = { method: 'GET', path: '/reset/:token' }
    expect(() => checkRouted([get], table)).not.toThrow()
    expect(() => checkRouted([get, { method: 'GET', path: '/new' }], table)).toThrow('GET /new')
    expect(() => checkRouted([get, { ...get, method: 'POST' }], table)).toThrow('POST /reset')
    expect(() => checkRouted([], table)).toThrow('not routed')
    const middleware = { method: 'ALL', path: '/hidden' }
    expect(() => checkRouted([get, middleware], table)).toThrow('ALL /hidden')
    expect(() => checkRouted([get, { method: 'ALL', path: '/*' }], table)).not.toThrow()
    const post = createRouteTable([
      { path: '/hooks', methods: ['POST'], audience: 'programs', errors: 'json-rpc' },
    ])
    const routed = [{ method: 'POST', path: '/hooks' }]
    expect(() => checkRouted(routed, post)).toThrow('maxBodyBytes')
  })
})
