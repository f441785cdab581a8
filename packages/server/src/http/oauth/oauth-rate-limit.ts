/** How often one address may ask the authorization server. */

import type { RateLimits } from '../../store/rate-limits.ts'
import { type CountedAddresses, countedNetwork } from '../client-address.ts'
import type { NodeHandler } from '../http-server.ts'
import { rateLimitHeaders, refuseIfOver } from '../rate-limit-answer.ts'
import { declaredBytes, weightOf } from '../request-weight.ts'
import { OAUTH_TABLE } from '../routes.ts'
import { bodyBytesRead, oauthBodyLimit } from './oauth-body-limit.ts'

const MINUTE = 60

/**
 * Puts the limits in front of the authorization server's handler, which then rejects with AppError
 * `too_many_requests` or `unavailable`. Nothing is written to the store for a caller but one number,
 * which expires.
 */
export function limitOAuthRate(
  limits: RateLimits,
  addresses: CountedAddresses,
): (handler: NodeHandler) => NodeHandler {
  return (handler) => async (request, response) => {
    const limit = OAUTH_TABLE.find(request.url ?? '/')?.limit
    const network = countedNetwork(request, addresses)
    // Browsers ask before they send: the request itself is counted.
    const isCounted = limit !== undefined && limit !== 'caller' && request.method !== 'OPTIONS'
    if (isCounted && network !== undefined) {
      const { name, calls } = limit
      // A request counts as its `weightOf`.
      const counting = { limit: name, who: network, rate: { calls, perSeconds: MINUTE } }
      const weight = weightOf(Math.min(declaredBytes(request) ?? 0, oauthBodyLimit(request)))
      const limitStates = await limits.count([{ ...counting, by: weight }])
      for (const [name, value] of Object.entries(rateLimitHeaders(limitStates))) {
        response.setHeader(name, value)
      }
      refuseIfOver(limitStates)
      await handler(request, response)
      // A body in chunks: what it weighs on top counts for the requests that follow.
      const more = weightOf(bodyBytesRead(request)) - weight
      if (more > 0) limits.count([{ ...counting, by: more }]).catch(() => undefined)
      return
    }
    await handler(request, response)
  }
}
