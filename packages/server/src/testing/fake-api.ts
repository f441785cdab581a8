/** An upstream API for a test server: the answers of `callTool`, over HTTP. */

import { type Context, Hono } from 'hono'
import { DEMO_API_PATH } from '../config/demo-paths.ts'
import { UpstreamError, type UpstreamErrorCode } from '../upstream/upstream-error.ts'
import { createUpstreamAnswers, type UpstreamAnswers } from './tool-upstream.ts'

/** The status that the server's API client reads each error from. */
const STATUS_OF: Partial<Record<UpstreamErrorCode, number>> = {
  upstream_rejected: 403,
  upstream_not_found: 404,
  upstream_unauthorized: 401,
  upstream_rate_limited: 429,
}

/**
 * Answers by method and route. A test that ends should call `refuseUnanswered`.
 * @throws TypeError for a key that is no method and route, such as `GET /accounts/{id}`
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
    const sent = await c.req.text()
    const idempotencyKey = c.req.header('idempotency-key')
    const request = {
      ...(sent !== '' && { body: JSON.parse(sent) }),
      ...(idempotencyKey !== undefined && { idempotencyKey }),
      signal: c.req.raw.signal,
    }
    const params = { ...c.req.query(), ...c.req.param() }
    try {
      const value = await upstream.answer(route, params, request)
      return value === undefined ? c.body(null, 204) : Response.json(value)
    } catch (error) {
      return failure(error)
    }
  }

  return { api, requests: upstream.requests, refuseUnanswered: upstream.refuseUnanswered }
}

function failure(error: unknown): Response {
  if (!(error instanceof UpstreamError)) return Response.json({ error: 'failed' }, { status: 500 })
  const { code, status = STATUS_OF[code] ?? 500, retryAfterSeconds } = error
  const headers = new Headers()
  if (retryAfterSeconds !== undefined) headers.set('retry-after', `${retryAfterSeconds}`)
  return Response.json({ error: code }, { status, headers })
}
