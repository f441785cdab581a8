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

/** SEP-2243, "Custom Headers": arguments that a tool has repeated in headers. */
const PARAMETER = /^mcp-param-[\w!#$%&'*+.^`|~-]+$/i
/** In one preflight. */
const MOST_PARAMETERS = 32

/**
 * Fetch Standard, "CORS protocol". Any origin that comes as far as this passed the host guard. No
 * credentials: a browser's cookies have no meaning for a client.
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
    // Without an origin there is no page, and OPTIONS is a method like any other.
    if (c.req.header('origin') === undefined) return next()
    const parameters = parametersIn(c.req.header('access-control-request-headers'))
    return parameters.length === 0 ? answer(c, next) : answering(parameters)(c, next)
  }
}

/** There is no pattern for names: a preflight is answered with those that it asks for. */
function parametersIn(requested = ''): readonly string[] {
  const names = requested.split(',', 2 * MOST_PARAMETERS).map((name) => name.trim())
  return names.filter((name) => PARAMETER.test(name)).slice(0, MOST_PARAMETERS)
}
