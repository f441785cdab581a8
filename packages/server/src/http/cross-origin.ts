/** CORS for browser-based clients of allowed origins. */

import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { RATE_LIMIT_HEADERS } from '../store/rate-limits.ts'
import type { HttpEnv } from './http-env.ts'
import type { Method } from './routes.ts'

/** Request headers of MCP clients that are not CORS-safelisted. */
const REQUEST_HEADERS = [
  'Content-Type',
  'Authorization',
  'Last-Event-ID',
  'Mcp-Method',
  'Mcp-Name',
  'Mcp-Protocol-Version',
  'Mcp-Session-Id',
  // W3C Trace Context and Baggage, which instrumentation of browsers adds to all requests.
  'Traceparent',
  'Tracestate',
  'Baggage',
]

/** SEP-2243, "Custom Headers": tool arguments that the client mirrors in headers. */
const PARAMETER = /^mcp-param-[\w!#$%&'*+.^`|~-]+$/i
/** Limit per preflight. */
const MOST_PARAMETERS = 32

/**
 * Fetch Standard, "CORS protocol". Reflects any origin, because the host guard has already checked
 * it. Allows no credentials: MCP clients do not use cookies.
 */
export function crossOrigin(methods: readonly Method[]): MiddlewareHandler<HttpEnv> {
  const answering = (parameters: readonly string[]) =>
    cors({
      origin: (origin) => origin,
      allowMethods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((name) =>
        methods.some((each) => each === name),
      ),
      allowHeaders: [...REQUEST_HEADERS, ...parameters],
      exposeHeaders: ['Mcp-Session-Id', ...RATE_LIMIT_HEADERS, 'WWW-Authenticate', 'X-Request-Id'],
      maxAge: 600,
    })
  const answer = answering([])
  return (c, next) => {
    // Without an Origin header, OPTIONS is not a preflight.
    if (c.req.header('origin') === undefined) return next()
    const parameters = parametersIn(c.req.header('access-control-request-headers'))
    return parameters.length === 0 ? answer(c, next) : answering(parameters)(c, next)
  }
}

/** CORS has no wildcard for name prefixes, so the response repeats the requested names. */
function parametersIn(requested = ''): readonly string[] {
  const names = requested.split(',', 2 * MOST_PARAMETERS).map((name) => name.trim())
  return names.filter((name) => PARAMETER.test(name)).slice(0, MOST_PARAMETERS)
}
