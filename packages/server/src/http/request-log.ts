/** Request logging: sets the route, request id and logger, and logs one line per response. */

import { randomUUID } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import { shortHash } from '../crypto/hash.ts'
import type { Logger } from '../logger.ts'
import type { HttpEnv } from './http-env.ts'
import type { RouteTable } from './routes.ts'

/** Accepted request ids: safe against log injection, and of limited length. */
const GIVEN_ID = /^[A-Za-z0-9._-]{1,64}$/

/** The client's request id if acceptable, otherwise a new one. */
export function requestIdOf(given: unknown): string {
  return typeof given === 'string' && GIVEN_ID.test(given) ? given : randomUUID()
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
