/** Counts, times and traces every request, whoever answers it: the guard, a mount or a route. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { MODERN_REVISION } from '../mcp/server.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Span } from '../telemetry/tracing.ts'
import type { RouteOf } from './route-of.ts'

/** Runs `handle`, and watches the response until it is closed. */
export type ObserveRequest = (
  request: IncomingMessage,
  response: ServerResponse,
  handle: () => void,
) => void

/** What nginx calls a request that nobody waited for; HTTP has no status for what was not answered. */
const CLIENT_LEFT = 499

export function createRequestObserver(
  { metrics, tracing }: Telemetry,
  routeOf: RouteOf,
  streamRoutes: ReadonlySet<string> = new Set(),
): ObserveRequest {
  /** How long somebody listens says nothing of the server; those streams have metrics of their own. */
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
      const status = response.headersSent ? response.statusCode : CLIENT_LEFT
      if (!wasListenedTo(request, route, status)) {
        metrics.request(method, route, status, (performance.now() - started) / 1000)
      }
      if (span !== undefined) endSpan(span, status)
    })
    if (span === undefined) handle()
    else span.run(handle)
  }
}

/** OpenTelemetry, semantic conventions for HTTP server spans; paths and queries may hold secrets. */
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
 * 2026-07-28, basic/utilities/subscriptions. Both headers count: in that revision a header that says
 * other than the body is refused, before it nobody looks at them.
 */
export function isListening({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return (
    headers['mcp-method'] === 'subscriptions/listen' &&
    headers['mcp-protocol-version'] === MODERN_REVISION
  )
}
