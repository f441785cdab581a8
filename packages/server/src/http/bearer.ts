/** The bearer check as middleware: who calls, by the headers; counted as one request. */

import type { MiddlewareHandler } from 'hono'
import type { Authenticate, Door } from '../auth/authenticate.ts'
import type { Caller } from '../session/caller.ts'
import { clientAddress, networkOf } from './client-address.ts'
import type { HttpEnv } from './context.ts'
import type { CallRates, CountedRequest } from './rate-limit.ts'
import { asRequested } from './trailing-slash.ts'

export interface BearerDeps {
  readonly authenticate: Authenticate
  readonly rates: CallRates
  /** How many entries of `X-Forwarded-For` are believed. */
  readonly trustedProxies: number
}

/** Puts the caller into the context. */
export function bearer(
  { authenticate, rates, trustedProxies }: BearerDeps,
  door: Door,
): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const { incoming, outgoing } = c.env
    const request: CountedRequest & { caller: Caller | undefined } = {
      ...{ incoming, outgoing },
      caller: undefined,
      bodyBytes: undefined,
      weight: undefined,
    }
    const presenter = {
      address: () => networkOf(clientAddress(incoming, trustedProxies)),
      onSession: (id: string) => rates.refuseKnown(request, id),
    }
    const asked = { ...door, resource: asRequested(incoming, door.resource) }
    try {
      request.caller = await authenticate(incoming.headers.authorization, asked, presenter)
    } catch (error) {
      await rates.countRefused(request, error)
      throw error
    }
    c.set('caller', request.caller)
    await rates.count(request)
    await next()
  }
}
