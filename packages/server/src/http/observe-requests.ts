/**
 * Metrics and traces of every request, including guard refusals and mounts; its request id, logger
 * and log line (log injection).
 */

import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context, MiddlewareHandler } from 'hono'
import { shortHash } from '../crypto/hash.ts'
import { CLIENT_CLOSED_REQUEST } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { MODERN_REVISION } from '../mcp/server-factory.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Span } from '../telemetry/tracing.ts'
import type { HttpEnv } from './http-env.ts'
import type { RouteOf } from './request-target.ts'
import type { RouteTable } from './routes.ts'

/** Runs `handle` and observes the response until it closes. */
export type ObserveRequest = (
  request: IncomingMessage,
  response: ServerResponse,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
) => void

export function createRequestObserver(
  { metrics, tracing }: Telemetry,
  routeOf: RouteOf,
  streamRoutes: ReadonlySet<string> = new Set(),
): ObserveRequest {
  /** Long-lived streams: their duration is not a latency, and they have their own metrics. */
  function wasListenedTo(request: IncomingMessage, route: string, status: number) {
    if (status !== 200 || !streamRoutes.has(route)) return false
    return request.method === 'GET' || isListening(request)
  }

  return (request, response, handle) => {
    const started = performance.now()
    const { method = 'GET', url = '/' } = request
    const route = routeOf(url)
    const span = tracing?.start(requestSpan(method, route, request))
    response.on('close', () => {
      const status = response.headersSent ? response.statusCode : CLIENT_CLOSED_REQUEST
      if (!wasListenedTo(request, route, status)) {
        metrics.request(method, route, status, (performance.now() - started) / 1000)
      }
      if (span !== undefined) endSpan(span, status)
    })
    if (span === undefined) handle(request, response)
    else span.run(() => handle(request, response))
  }
}

/** OpenTelemetry HTTP server span; omits paths and queries, which may contain secrets. */
function requestSpan(method: string, route: string, { headers }: IncomingMessage) {
  const attributes = { 'http.request.method': method, 'http.route': route }
  return { name: `${method} ${route}`, kind: 'server', attributes, carrier: headers } as const
}

function endSpan(span: Span, status: number): void {
  span.set('http.response.status_code', status)
  if (status >= 500) span.fail(String(status))
  span.end()
}

/**
 * Whether a request opens a subscription (2026-07-28, basic/utilities/subscriptions). Requires both
 * headers: that revision refuses headers that contradict the body; earlier ones ignore them.
 */
export function isListening({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return (
    headers['mcp-method'] === 'subscriptions/listen' &&
    headers['mcp-protocol-version'] === MODERN_REVISION
  )
}

/** Accepted request ids: safe against log injection, and of limited length. */
const GIVEN_ID = /^[A-Za-z0-9._-]{1,64}$/

/** The client's request id if acceptable, otherwise a new one. */
export function requestIdOf(given: unknown): string {
  if (typeof given === 'string' && GIVEN_ID.test(given)) return given
  return randomUUID()
}

/** Logs the route's pattern, never the path, which may contain secrets. */
export function requestLog(logger: Logger, routes: RouteTable): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const { started, requestId, log } = c.env.call ?? begin(logger, c)
    const route = routes.find(c.env.incoming.url ?? '/')
    c.set('route', route)
    c.set('requestId', requestId)
    c.set('log', log)
    // Set before the handler runs: changing a finished response's headers would copy the response.
    c.env.outgoing.setHeader('x-request-id', requestId)
    await next()
    const { method } = c.req
    const ms = Math.round(performance.now() - started)
    const level = route?.isProbe && c.res.ok ? 'debug' : 'info'
    log[level]({ method, route: route?.path ?? 'unknown', status: c.res.status, ms }, 'request')
  }
}

function begin(logger: Logger, c: Context<HttpEnv>) {
  const requestId = requestIdOf(c.req.header('x-request-id'))
  const mcpSession = c.req.header('mcp-session-id')
  const log = logger.child({
    requestId,
    ...(mcpSession !== undefined && { connection: shortHash(mcpSession) }),
  })
  return { started: performance.now(), requestId, log }
}
