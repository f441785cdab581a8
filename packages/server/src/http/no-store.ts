/** Keeps caches away from answers that depend on who asks. */

import type { MiddlewareHandler } from 'hono'
import type { HttpEnv } from './http-env.ts'

/** `Cache-Control: no-store` (RFC 9111, 5.2.2.5) where the answer says nothing itself, as streams do. */
export const noStore: MiddlewareHandler<HttpEnv> = (c, next) => {
  // Before the answer, which overrides it: to change an answer's headers is to copy it (20 µs).
  c.env.outgoing.setHeader('cache-control', 'no-store')
  return next()
}
