/** The bearer check as middleware: who calls, by the headers; then whether the token's scopes suffice for the body. */

import type { Context, MiddlewareHandler } from 'hono'
import type { Authenticate, Door } from '../auth/authenticate.ts'
import type { RequireScopes } from '../auth/required-scopes.ts'
import type { Resource } from '../auth/resources.ts'
import { nextTurn } from '../store/next-turn.ts'
import { clientAddress, networkOf } from './client-address.ts'
import type { HttpEnv } from './context.ts'
import { asRequested } from './trailing-slash.ts'

export interface BearerDeps {
  readonly authenticate: Authenticate
  /** How many entries of `X-Forwarded-For` are believed. */
  readonly trustedProxies: number
  /** What else to ask the store for, once a token looks good and is looked up there. */
  readonly meanwhile?: (c: Context<HttpEnv>) => void
}

/** Puts the caller into the context. Needs the headers alone, and stands before the body is read. */
export function bearer(
  { authenticate, trustedProxies, meanwhile }: BearerDeps,
  door: Door,
): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const addressOf = () => networkOf(clientAddress(c.env.incoming, trustedProxies))
    const onSession = (id: string) => {
      c.get('onSession')?.(id)
      meanwhile?.(c)
    }
    const asked = { ...door, resource: asRequested(c.env.incoming, door.resource) }
    const caller = await authenticate(c.req.raw, asked, addressOf, onSession)
    // Those that waited for the store were answered one by one.
    if (caller.kind === 'token') await nextTurn()
    c.set('caller', caller)
    await next()
  }
}

/** Refuses a call that the caller's token lacks scopes for. Stands behind `bearer` and the body. */
export function scopesFor(
  requireScopes: RequireScopes,
  resource: Resource,
): MiddlewareHandler<HttpEnv> {
  return (c, next) => {
    requireScopes(c.get('caller'), c.get('body'), asRequested(c.env.incoming, resource))
    return next()
  }
}
