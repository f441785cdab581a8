/** Bearer authentication as middleware; rate-limited as one request. */

import type { MiddlewareHandler } from 'hono'
import type { ResourceRequirement } from '../auth/authenticate.ts'
import { clientAddress, networkOf } from './client-address.ts'
import type { HttpEnv } from './http-env.ts'
import { type IdentifyDeps, identify, type PresentedRequest } from './rate-limit.ts'
import { asRequested } from './request-target.ts'

export interface BearerDeps extends IdentifyDeps {
  /** Number of trusted proxies: entries of `X-Forwarded-For` to trust. */
  readonly trustedProxies: number
}

/** Authenticates the request and sets `caller` in the context. */
export function bearer(
  deps: BearerDeps,
  requirement: ResourceRequirement,
): MiddlewareHandler<HttpEnv> {
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
    const resource = asRequested(incoming, requirement.resource)
    c.set('caller', await identify(deps, request, { ...requirement, resource }))
    await next()
  }
}
