/** How often one address may ask the authorization server. */

import type { RateLimits } from '../store/rate-limits.ts'
import { type CountedAddresses, countedNetwork } from './client-address.ts'
import { rateLimitHeaders, refuseIfOver } from './rate-limit-answer.ts'
import type { NodeHandler } from './server.ts'

const MINUTE = 60
/** Requests of one address in a minute. */
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
      const rate = { calls, perSeconds: MINUTE }
      const standings = await limits.count([{ limit: endpoint, who: network, rate }])
      for (const [name, value] of Object.entries(rateLimitHeaders(standings))) {
        response.setHeader(name, value)
      }
      refuseIfOver(standings)
    }
    await handler(request, response)
  }
}
