/** Forbids caching of caller-dependent responses. */

import type { MiddlewareHandler } from 'hono'
import type { HttpEnv } from './http-env.ts'

/** Default `Cache-Control: no-store` (RFC 9111, 5.2.2.5); a response may override it. */
export const noStore: MiddlewareHandler<HttpEnv> = (c, next) => {
  // Set before the handler runs: changing a finished response's headers would copy the response.
  c.env.outgoing.setHeader('cache-control', 'no-store')
  return next()
}
