/** Lets pages of allowed origins call: without these headers browsers keep the answers from them. */

import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import type { HttpEnv } from './context.ts'
import { RATE_LIMIT_HEADERS } from './rate-limit-answer.ts'
import type { Method } from './routes.ts'

/** What clients send besides what browsers let through anyway. */
const REQUEST_HEADERS = [
  'Content-Type',
  'Authorization',
  'Last-Event-ID',
  'Mcp-Method',
  'Mcp-Name',
  'Mcp-Protocol-Version',
  'Mcp-Session-Id',
]

/**
 * Fetch Standard, "CORS protocol". Any origin that comes as far as this passed the host guard. No
 * credentials: a browser's cookies have no meaning for a client.
 */
export function crossOrigin(methods: readonly Method[]): MiddlewareHandler<HttpEnv> {
  const answer = cors({
    origin: (origin) => origin,
    allowMethods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((name) =>
      methods.some((each) => each === name),
    ),
    allowHeaders: REQUEST_HEADERS,
    exposeHeaders: ['Mcp-Session-Id', ...RATE_LIMIT_HEADERS, 'WWW-Authenticate', 'X-Request-Id'],
    maxAge: 600,
  })
  // Without an origin there is no page, and OPTIONS is a method like any other.
  return (c, next) => (c.req.header('origin') === undefined ? next() : answer(c, next))
}
