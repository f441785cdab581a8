/** SSRF guard: requests to URLs from untrusted callers may go to public addresses only. */

import ipaddr from 'ipaddr.js'

/** RFC 4291, section 2.4: the range of assigned global unicast addresses. */
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3')

/**
 * Whether an IP address is public unicast. An IPv4-mapped IPv6 address is checked as its IPv4
 * address; translation addresses (NAT64, 6to4, Teredo) are always rejected.
 * @param allowLoopback also accepts loopback addresses
 */
export function isPublicAddress(address: string, allowLoopback = false): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  const range = parsed.range()
  if (range === 'loopback') return allowLoopback
  if (range !== 'unicast') return false
  return parsed.kind() === 'ipv4' || parsed.match(GLOBAL_UNICAST)
}

/** The host resolves to an address that is not public. */
export class NotPublicError extends TypeError {
  readonly code = 'ERR_NOT_PUBLIC'

  constructor() {
    super('The host is not on the public internet')
  }
}
