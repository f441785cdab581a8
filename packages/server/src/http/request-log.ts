/** Gives each request an id and a logger, and writes its line when it is answered. */

import { randomUUID } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { shortHash } from '../crypto/hash.ts'
import type { Logger } from '../logger.ts'
import type { HttpEnv } from './context.ts'

/** Only what cannot forge log lines or make them endless is taken over. */
const GIVEN_ID = /^[A-Za-z0-9._-]{1,64}$/

/** Paths may carry handles, so that the route is logged, not the path. */
export function requestLog(logger: Logger): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const started = performance.now()
    const given = c.req.header('x-request-id')
    const requestId = given !== undefined && GIVEN_ID.test(given) ? given : randomUUID()
    const connection = c.req.header('mcp-session-id')
    const log = logger.child({
      requestId,
      ...(connection !== undefined && { connection: shortHash(connection) }),
    })
    c.set('requestId', requestId)
    c.set('log', log)
    // Now, since to change the headers of an answer is to copy it (20 µs).
    c.env.outgoing.setHeader('x-request-id', requestId)
    await next()
    const { method } = c.req
    const ms = Math.round(performance.now() - started)
    // Asked every few moments by whatever watches the process.
    const level = isProbe(c.req.path) && c.res.ok ? 'debug' : 'info'
    log[level]({ method, route: routeOf(c.req.path), status: c.res.status, ms }, 'request')
  }
}

function isProbe(path: string): boolean {
  return path === '/livez' || path === '/readyz'
}

function routeOf(path: string): string {
  if (path.startsWith('/connect/')) return '/connect/:handle'
  return path.startsWith('/consent/') ? '/consent/:uid' : path.slice(0, 100)
}
