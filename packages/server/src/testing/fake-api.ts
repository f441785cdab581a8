/** A fake upstream API for a test server: serves the `upstream` answers of `callTool` over HTTP. */

import { type Context, Hono } from 'hono'
import { DEMO_API_PATH } from '../config/demo-paths.ts'
import { UpstreamError, type UpstreamErrorCode } from '../upstream/upstream-error.ts'
import { createUpstreamAnswers, type UpstreamAnswers } from './tool-upstream.ts'

/** The status that the server's API client maps to each error. */
const STATUS_OF: Partial<Record<UpstreamErrorCode, number>> = {
  upstream_rejected: 403,
  upstream_not_found: 404,
  upstream_unauthorized: 401,
  upstream_rate_limited: 429,
}

/**
 * Answers by method and route. Call `refuseUnanswered` at the end of a test.
 * @throws TypeError for a key that is not a method and a route, such as `GET /accounts/{id}`
 */
export function createFakeApi(answers: UpstreamAnswers) {
  const api = new Hono()
  const upstream = createUpstreamAnswers(answers)

  for (const key of Object.keys(answers)) {
    const [, method = '', route = ''] = /^([A-Z]+) (\/.*)$/.exec(key) ?? []
    if (route === '') throw new TypeError(`"${key}" must be like "GET /accounts/{id}"`)
    api.on(method, route.replaceAll(/\{(\w+)\}/g, ':$1'), (c) => answer(c, key))
  }
  api.all('*', (c) => answer(c, `${c.req.method} ${c.req.path.replace(DEMO_API_PATH, '')}`))

  async function answer(c: Context, route: string): Promise<Response> {
    const contentType = c.req.header('content-type')
    const body = await bodyOf(c.req.raw, contentType)
    const request = {
      ...(body !== undefined && { body }),
      ...(contentType !== undefined && { contentType }),
      ...sentHeaders(c),
    }
    const params = { ...queryOf(c), ...c.req.param() }
    try {
      const value = await upstream.answer(route, params, request, c.req.raw.signal)
      if (value instanceof Response) return value
      if (value instanceof Uint8Array) return new Response(new Uint8Array(value))
      return value === undefined ? c.body(null, 204) : Response.json(value)
    } catch (error) {
      return failure(error)
    }
  }

  return { api, requests: upstream.requests, refuseUnanswered: upstream.refuseUnanswered }
}

function sentHeaders(c: Context) {
  const idempotencyKey = c.req.header('idempotency-key')
  const ifMatch = c.req.header('if-match')
  const ifNoneMatch = c.req.header('if-none-match')
  return {
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(ifMatch !== undefined && { ifMatch }),
    ...(ifNoneMatch !== undefined && { ifNoneMatch }),
  }
}

/** Repeated parameters become a list. */
function queryOf(c: Context): Record<string, string | string[]> {
  const lists = Object.entries(c.req.queries())
  return Object.fromEntries(
    lists.map(([name, all]) => [name, all.length > 1 ? all : (all[0] ?? '')]),
  )
}

/** Decodes the request body: JSON, a form, multipart or bytes. */
async function bodyOf(request: Request, type = ''): Promise<unknown> {
  const bytes = new Uint8Array(await request.arrayBuffer())
  if (bytes.length === 0) return undefined
  if (type.startsWith('multipart/form-data')) {
    return new Response(bytes, { headers: { 'content-type': type } }).formData()
  }
  const text = () => new TextDecoder().decode(bytes)
  if (type.startsWith('application/x-www-form-urlencoded')) return new URLSearchParams(text())
  return /[/+]json\b/.test(type) ? JSON.parse(text()) : bytes
}

function failure(error: unknown): Response {
  if (!(error instanceof UpstreamError)) return Response.json({ error: 'failed' }, { status: 500 })
  const { code, status = STATUS_OF[code] ?? 500, retryAfterSeconds } = error
  const headers = new Headers()
  if (retryAfterSeconds !== undefined) headers.set('retry-after', `${retryAfterSeconds}`)
  return Response.json({ error: code }, { status, headers })
}
