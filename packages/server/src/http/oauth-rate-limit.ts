/** How often one address may ask the authorization server. */

import type { RateLimits } from '../store/rate-limits.ts'
import { type CountedAddresses, countedNetwork } from './client-address.ts'
import { bodyBytesRead, OAUTH_BODY_LIMIT_BYTES } from './oauth-body-limit.ts'
import { rateLimitHeaders, refuseIfOver } from './rate-limit-answer.ts'
import { declaredBytes, weightOf } from './request-weight.ts'
import type { NodeHandler } from './server.ts'

const MINUTE = 60
/** Units of one address in a minute: a request counts as its `weightOf`. */
const CALLS: ReadonlyMap<string, number> = new Map([
  // Anybody may register, and what they register is kept for a while.
  ['register', 20],
  ['authorize', 600],
  ['token', 600],
  ['revoke', 600],
  ['introspect', 600],
])

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
    const [, endpoint = ''] = /^\/(\w+)(?=[/?]|$)/.exec(request.url ?? '') ?? []
    const calls = CALLS.get(endpoint)
    const network = countedNetwork(request, addresses)
    // Browsers ask before they send: the request itself is counted.
    if (calls !== undefined && network !== undefined && request.method !== 'OPTIONS') {
      const counting = { limit: endpoint, who: network, rate: { calls, perSeconds: MINUTE } }
      const weight = weightOf(Math.min(declaredBytes(request) ?? 0, OAUTH_BODY_LIMIT_BYTES))
      const standings = await limits.count([{ ...counting, by: weight }])
      for (const [name, value] of Object.entries(rateLimitHeaders(standings))) {
        response.setHeader(name, value)
      }
      refuseIfOver(standings)
      await handler(request, response)
      // A body in chunks: what it weighs on top counts for the requests that follow.
      const more = weightOf(bodyBytesRead(request)) - weight
      if (more > 0) limits.count([{ ...counting, by: more }]).catch(() => undefined)
      return
    }
    await handler(request, response)
  }
}
