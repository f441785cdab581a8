/** Parses the RateLimit headers as structured fields (RFC 9651). */

import { type Item, parseList } from 'structured-headers'

export interface RateLimitField {
  readonly limit: unknown
  /** The quota and the window in seconds. */
  readonly quota: unknown
  readonly window: unknown
  readonly remaining: unknown
  readonly secondsLeft: unknown
}

/** The limits in a response, in order. */
export function limitsIn(headers: Headers): readonly RateLimitField[] {
  const policies = itemsOf(headers.get('ratelimit-policy'))
  const left = new Map(itemsOf(headers.get('ratelimit')))
  return policies.map(([limit, policy]) => ({
    limit,
    quota: policy.get('q'),
    window: policy.get('w'),
    remaining: left.get(limit)?.get('r'),
    secondsLeft: left.get(limit)?.get('t'),
  }))
}

function itemsOf(field: string | null) {
  return parseList(field ?? '').map((item) => item as Item)
}
