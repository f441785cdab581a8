/** Bearer authentication, counted by the rate limits: for the call path, and as middleware. */

import type { MiddlewareHandler } from 'hono'
import type { TokenPresenter } from '../auth/access-tokens.ts'
import type { Authenticate, ResourceRequirement } from '../auth/authenticate.ts'
import type { Caller } from '../session/caller.ts'
import { clientAddress, networkOf } from './client-address.ts'
import type { HttpEnv } from './http-env.ts'
import type { CallRates, CountedRequest } from './rate-limit.ts'
import { asRequested } from './request-target.ts'

/** A request to authenticate; `identify` sets its caller. */
export interface BearerRequest extends CountedRequest, TokenPresenter {
  caller: Caller | undefined
}

export interface IdentifyDeps {
  readonly authenticate: Authenticate
  readonly rates: CallRates
}

/** Authenticates the caller by the headers, and counts the request. */
export async function identify(
  { authenticate, rates }: IdentifyDeps,
  request: BearerRequest,
  requirement: ResourceRequirement,
): Promise<Caller> {
  try {
    const found = authenticate.find(request.incoming.headers.authorization, requirement, request)
    request.caller = found instanceof Promise ? await found : found
    if (request.caller === undefined) throw await authenticate.refusal(requirement)
  } catch (error) {
    await rates.countRefused(request, error)
    throw error
  }
  const counting = rates.count(request)
  if (counting !== undefined) await counting
  return request.caller
}

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
    const request: BearerRequest = {
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
