/** The bearer check as a middleware: who calls, and whether its token is enough for what it posts. */

import type { Context, MiddlewareHandler } from 'hono'
import type { Authenticate, Door } from '../auth/authenticate.ts'
import type { RequireScopes } from '../auth/required-scopes.ts'
import { nextTurn } from '../store/next-turn.ts'
import { clientAddress, networkOf } from './client-address.ts'
import type { HttpEnv } from './context.ts'

export interface BearerDeps {
  readonly authenticate: Authenticate
  readonly requireScopes: RequireScopes
  /** How many entries of `X-Forwarded-For` are believed. */
  readonly trustedProxies: number
  /** What else to ask the store for, once a token looks good and is looked up there. */
  readonly meanwhile?: (c: Context<HttpEnv>) => void
}

/** Puts the caller into the context. Stands behind what parses the body, where there is one. */
export function bearer(
  { authenticate, requireScopes, trustedProxies, meanwhile }: BearerDeps,
  door: Door,
): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const addressOf = () => networkOf(clientAddress(c.env.incoming, trustedProxies))
    const onSession = (id: string) => {
      c.get('onSession')?.(id)
      meanwhile?.(c)
    }
    const caller = await authenticate(c.req.raw, door, addressOf, onSession)
    // Those that waited for the store were answered one by one.
    if (caller.kind === 'token') await nextTurn()
    c.set('caller', caller)
    requireScopes(caller, c.get('body'), door.resource)
    await next()
  }
}
