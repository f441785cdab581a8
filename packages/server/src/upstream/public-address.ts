/** Which addresses a request that a stranger asked for may go to: those of the public internet. */

import ipaddr from 'ipaddr.js'

/** RFC 4291, section 2.4: what is given out as global unicast lies here; the rest is special. */
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3')

/**
 * Whether an IP address is a public unicast one. An IPv4 address mapped into IPv6 counts as what it
 * stands for; those of translators (NAT64, 6to4, Teredo) are refused whatever they stand for.
 * @param allowLoopback lets the machine's own addresses pass as well
 */
export function isPublicAddress(address: string, allowLoopback = false): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  const range = parsed.range()
  if (range === 'loopback') return allowLoopback
  if (range !== 'unicast') return false
  return parsed.kind() === 'ipv4' || parsed.match(GLOBAL_UNICAST)
}
