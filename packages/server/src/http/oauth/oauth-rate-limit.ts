/** Rate limits of the authorization server, by address. */

import { type RateLimits, rateLimitHeaders, refuseIfOver } from '../../store/rate-limits.ts'
import { type CountedAddresses, countedNetwork } from '../client-address.ts'
import type { NodeHandler } from '../http-server.ts'
import { declaredBytes, weightOf } from '../request-weight.ts'
import { OAUTH_TABLE } from '../routes.ts'
import { bodyBytesRead, oauthBodyLimit } from './oauth-body-limit.ts'

const MINUTE = 60

/**
 * Wraps the authorization server's handler with rate limits; the wrapped handler rejects with
 * AppError `too_many_requests` or `unavailable`. The store keeps only one expiring counter per
 * address and limit.
 */
export function limitOAuthRate(
  limits: RateLimits,
  addresses: CountedAddresses,
): (handler: NodeHandler) => NodeHandler {
  return (handler) => async (request, response) => {
    const limit = OAUTH_TABLE.find(request.url ?? '/')?.limit
    const network = countedNetwork(request, addresses)
    // Preflights are free: the request that follows is counted.
    const isCounted = limit !== undefined && limit !== 'caller' && request.method !== 'OPTIONS'
    if (isCounted && network !== undefined) {
      const { name, calls } = limit
      // A request costs its `weightOf`.
      const counting = { limit: name, who: network, rate: { calls, perSeconds: MINUTE } }
      const weight = weightOf(Math.min(declaredBytes(request) ?? 0, oauthBodyLimit(request)))
      const limitStates = await limits.count([{ ...counting, by: weight }])
      for (const [name, value] of Object.entries(rateLimitHeaders(limitStates))) {
        response.setHeader(name, value)
      }
      refuseIfOver(limitStates)
      await handler(request, response)
      // The weight of a chunked body is known only now; the excess is charged afterwards.
      const more = weightOf(bodyBytesRead(request)) - weight
      if (more > 0) limits.count([{ ...counting, by: more }]).catch(() => undefined)
      return
    }
    await handler(request, response)
  }
}
