/** Pages and endpoints of a team: guarded, limited, labelled and answered as the built-in ones. */

import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { z } from 'zod'
import { createMcp } from '../../src/create-mcp.ts'
import { RESERVED_SEGMENTS } from '../../src/engine/check-routes.ts'
import { html } from '../../src/engine/index.ts'
import { routesOf } from '../../src/http/routes.ts'
import { startTestServer, type TestServer } from '../../src/testing/index.ts'
import { type ExternalIssuer, startExternalIssuer } from '../support/external-issuer.ts'

const SECRET = 'tok-4711-of-somebody'
const { defineServer, defineRoute } = createMcp({
  settings: z.object({ HOOK_SECRET: z.string().meta({ secret: true }) }),
})

const routes = [
  defineRoute({
    for: 'people',
    method: 'GET',
    path: '/reset/:token',
    handle: ({ params, page }) => page({ title: 'Reset', body: html`<p>${params.token}</p>` }),
  }),
  defineRoute({
    for: 'people',
    method: 'POST',
    path: '/reset/:token',
    bodyLimitBytes: 200,
    async handle({ form, page, log, params }) {
      const { password } = await form(z.object({ password: z.string().min(8) }))
      log.info('reset', { length: password.length, token: params.token })
      return page({ title: 'Done', body: 'Done.' })
    },
  }),
  defineRoute({
    for: 'people',
    method: 'GET',
    path: '/reset/new',
    handle: ({ page }) => page({ title: 'New', body: 'New.' }),
  }),
  defineRoute({
    for: 'programs',
    method: 'POST',
    path: '/hooks/tickets',
    limits: { callsPerMinute: 4 },
    async handle({ bytes, request, settings, problem }) {
      const body = await bytes()
      const expected = createHmac('sha256', settings.HOOK_SECRET).update(body).digest('hex')
      if (request.headers.get('x-signature') !== expected) {
        return problem({ status: 401, code: 'bad_signature', detail: 'The signature is wrong.' })
      }
      return new Response(null, { status: 204 })
    },
  }),
  defineRoute({
    for: 'programs',
    method: 'PUT',
    path: '/items/:id',
    async handle({ json, params, url }) {
      const { count } = await json(z.object({ count: z.number() }))
      if (count === 13) throw new Error(`no luck with ${SECRET}`)
      return Response.json({ id: params.id, count, path: url.pathname })
    },
  }),
  defineRoute({
    for: 'callers',
    method: 'GET',
    path: '/export',
    handle: ({ caller }) => Response.json({ subject: caller.subject, role: caller.claims.role }),
  }),
]

let issuer: ExternalIssuer
let server: TestServer
beforeAll(async () => {
  issuer = await startExternalIssuer()
  server = await startTestServer({
    server: defineServer({ name: 'desk', routes }),
    env: { OAUTH_ISSUER: issuer.url, HOOK_SECRET: 'whsec-of-the-desk', RATE_LIMIT: 'on' },
  })
})
afterAll(async () => {
  await server.stop()
  await issuer.stop()
})

const send = (path: string, init: RequestInit = {}) => fetch(`${server.url}${path}`, init)
const put = (body: string, type = 'application/json') =>
  send('/items/7', { method: 'PUT', body, headers: { 'content-type': type } })
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

describe('for people', () => {
  it('a page has the theme of the server, and its path is not in the log', async () => {
    const response = await send(`/reset/${SECRET}`)
    const text = await response.text()
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(text).toContain(`<p>${SECRET}</p>`)
    expect(text).toContain('Reset – desk')
    const lines = server.log().filter(({ msg }) => msg === 'request')
    expect(lines).toContainEqual(expect.objectContaining({ route: '/reset/:token', status: 200 }))
    expect(JSON.stringify(server.log())).not.toContain(SECRET)
  })

  it('a fixed path takes precedence over one with a variable', async () => {
    expect(await (await send('/reset/new')).text()).toContain('New.')
    expect(server.log()).toContainEqual(expect.objectContaining({ route: '/reset/new' }))
  })

  it("a form is accepted from the server's own pages only, and within its limits", async () => {
    const post = (body: string, headers: Record<string, string> = FORM) =>
      send('/reset/x', { method: 'POST', body, headers })
    expect((await post('password=long-enough')).status).toBe(200)
    const refused = [
      await post('password=long-enough', { ...FORM, origin: 'https://evil.example' }),
      await post('password=long-enough', { ...FORM, 'sec-fetch-site': 'cross-site' }),
      await post('password=short'),
      await post('password=long-enough&password=twice-at-once'),
      await post('{}', { 'content-type': 'application/json' }),
      await post(`password=${'x'.repeat(300)}`),
    ]
    expect(refused.map(({ status }) => status)).toEqual([403, 403, 400, 400, 415, 413])
    const types = refused.map(({ headers }) => headers.get('content-type'))
    expect(new Set(types)).toEqual(new Set(['text/html; charset=UTF-8']))
  })

  it('HEAD has no body, and other methods are refused', async () => {
    expect(await (await send('/reset/x', { method: 'HEAD' })).text()).toBe('')
    const response = await send('/reset/x', { method: 'DELETE' })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST'])
  })
})

describe('for programs', () => {
  it.each([
    ['{"count":1}', 'application/json', 200, undefined],
    ['{"count":', 'application/json', 400, 'invalid_request'],
    ['{"count":"1"}', 'application/json', 400, 'invalid_request'],
    ['count=1', 'text/plain', 415, 'unsupported_media_type'],
    [`{"count":1,"x":"${'x'.repeat(70_000)}"}`, 'application/json', 413, 'payload_too_large'],
    ['{"count":13}', 'application/json', 500, 'internal_error'],
  ])('a body is checked: %#', async (body, type, status, code) => {
    const response = await put(body, type)
    const answer = (await response.json()) as Record<string, unknown>
    expect(response.status).toBe(status)
    expect(answer).toMatchObject(code ? { code, status } : { id: '7', path: '/items/7' })
    expect(JSON.stringify(answer)).not.toContain(SECRET)
    const form = code ? 'application/problem+json' : 'application/json'
    expect(response.headers.get('content-type')).toBe(form)
  })

  it('a webhook checks the signature of the bytes, and is counted', async () => {
    const signed = createHmac('sha256', 'whsec-of-the-desk').update('{}').digest('hex')
    const hook = (signature: string) =>
      send('/hooks/tickets', { method: 'POST', body: '{}', headers: { 'x-signature': signature } })
    expect((await hook(signed)).status).toBe(204)
    expect(await (await hook('wrong')).json()).toMatchObject({ code: 'bad_signature' })
    await Promise.all([hook(signed), hook(signed)])
    const over = await hook(signed)
    expect(over.status).toBe(429)
    expect(await over.json()).toMatchObject({ code: 'too_many_requests' })
  })

  it('other methods are refused with a problem document', async () => {
    const response = await send('/items/7', { method: 'POST' })
    expect(response.status).toBe(405)
    expect(await response.json()).toMatchObject({ code: 'method_not_allowed' })
  })
})

test('callers are identified by their access token', async () => {
  const token = await issuer.sign({ ...issuer.claims(`${server.url}/mcp`), role: 'admin' })
  const headers = { authorization: `Bearer ${token}` }
  expect(await (await send('/export', { headers })).json()).toEqual({
    subject: 'ada',
    role: 'admin',
  })
  const refused = await send('/export')
  expect(refused.status).toBe(401)
  expect(refused.headers.get('www-authenticate')).toContain('resource_metadata')
  expect(await refused.json()).toMatchObject({ code: 'unauthorized' })
})

describe('a route cannot', () => {
  const declare = (path: string, more: object = {}) =>
    defineServer({
      name: 'desk',
      routes: [
        defineRoute({
          for: 'programs',
          method: 'GET',
          path,
          handle: () => new Response(),
          ...more,
        }),
      ],
    })

  it.each(['/mcp', '/mcp/more', '/token', '/.well-known/x', '/:any', '/', 'x', '/a/*', '/a/:b?'])(
    'have the path %s',
    (path) => {
      expect(() => declare(path)).toThrow(/^route GET/)
    },
  )

  it('have a path of the framework: all of them are reserved', () => {
    const all = {
      ...{ sse: true, direct: true, landingPage: true, metrics: true, traces: true, era2025: true },
    }
    const facts = {
      servesMetrics: true,
      hasLogo: true,
      hasDemo: true,
      hasDemoApi: true,
      takesKeys: true,
    }
    const table = routesOf({ serves: all, ...facts, authorizesClients: true })
    const segments = new Set(table.all.map(({ path }) => path.split('/')[1] ?? ''))
    expect([...segments].filter((segment) => !RESERVED_SEGMENTS.has(segment))).toEqual([])
  })
})

it('returns 500 in the format of the audience if a route returns no response', async () => {
  const wrong = (path: string, audience: 'people' | 'programs', value: unknown) =>
    defineRoute({ for: audience, method: 'GET', path, handle: () => value as Response })
  const own = [wrong('/none', 'programs', undefined), wrong('/text', 'people', 'hi')]
  const server = defineServer({ name: 'desk', routes: own })
  const started = await startTestServer({ server, env: { HOOK_SECRET: SECRET } })
  try {
    const problem = await fetch(`${started.url}/none`)
    expect([problem.status, await problem.json()]).toMatchObject([500, { status: 500 }])
    const page = await fetch(`${started.url}/text`)
    expect([page.status, page.headers.get('content-type')]).toEqual([
      ...[500, expect.stringMatching(/^text\/html/)],
    ])
    expect(JSON.stringify(started.log())).toContain('The route GET /none must return a Response')
  } finally {
    await started.stop()
  }
})
