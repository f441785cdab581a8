/** The bearer check as middleware: who calls, by the headers; counted as one request. */

import type { MiddlewareHandler } from 'hono'
import type { Door } from '../auth/authenticate.ts'
import { clientAddress, networkOf } from './client-address.ts'
import type { HttpEnv } from './context.ts'
import { type IdentifyDeps, identify, type PresentedRequest } from './rate-limit.ts'
import { asRequested } from './request-target.ts'

export interface BearerDeps extends IdentifyDeps {
  /** How many entries of `X-Forwarded-For` are believed. */
  readonly trustedProxies: number
}

/** Puts the caller into the context. */
export function bearer(deps: BearerDeps, door: Door): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const { incoming, outgoing } = c.env
    const request: PresentedRequest = {
      ...{ incoming, outgoing },
      caller: undefined,
      bodyBytes: undefined,
      weight: undefined,
      address: () => networkOf(clientAddress(incoming, deps.trustedProxies)),
      onSession: (id) => deps.rates.refuseKnown(request, id),
    }
    const resource = asRequested(incoming, door.resource)
    c.set('caller', await identify(deps, request, { ...door, resource }))
    await next()
  }
}
