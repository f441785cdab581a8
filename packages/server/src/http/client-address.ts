/** Client IP addresses behind trusted proxies, and their aggregation into networks. */

import type { IncomingMessage } from 'node:http'
import { isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Sites get more than one /64 (RFC 6177, 2), from many providers a /56. */
const IPV6_SITE_BITS = 56

/** In characters: an IPv6 address with an embedded IPv4 address and a zone. */
const LONGEST_ADDRESS = 64

/**
 * The client's address: the socket's peer, or the address that the outermost of `trustedProxies`
 * proxies saw. Each proxy appends its peer to `X-Forwarded-For`, so only the rightmost entries are
 * trusted; a client can forge all entries further left.
 */
export function clientAddress(request: IncomingMessage, trustedProxies: number): string {
  const peer = request.socket.remoteAddress ?? ''
  if (trustedProxies === 0) return peer
  const address = hopFromRight(String(request.headers['x-forwarded-for'] ?? ''), trustedProxies)
  return address.length <= LONGEST_ADDRESS && ipaddr.isValid(address) ? address : peer
}

/** Empty hops that are passed over; RFC 9110, 5.6.1, asks for "a reasonable number". */
const MOST_EMPTY = 16

/**
 * The hop at a position from the right, or the leftmost one if there are fewer. Reads from the
 * right and no further, since a client may send thousands of hops (denial of service).
 */
function hopFromRight(forwarded: string, position: number): string {
  let found = ''
  let count = 0
  let empty = 0
  let end = forwarded.length
  while (count < position && empty <= MOST_EMPTY && end > 0) {
    const start = forwarded.lastIndexOf(',', end - 1) + 1
    const text = forwarded.slice(start, end).trim()
    const hop = text === '' ? text : withoutPort(text)
    if (hop === '') {
      empty += 1
    } else {
      found = hop
      count += 1
    }
    end = start - 1
  }
  return found
}

/** The rate-limit key of an address: an IPv4 address, or the IPv6 prefix of one site. */
export function networkOf(address: string): string {
  if (isIPv4(address)) return address
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${parsed}/${IPV6_SITE_BITS}`)
  return `${network}/${IPV6_SITE_BITS}`
}

export interface CountedAddresses {
  /** Number of trusted proxies in front of the server. */
  readonly trustedProxies: number
  /** Whether rate limits apply to requests from this machine. */
  readonly countsThisMachine: boolean
}

/** Whether rate limits apply to a request. */
export function isCounted(request: IncomingMessage, addresses: CountedAddresses): boolean {
  const { trustedProxies, countsThisMachine } = addresses
  return countsThisMachine || !isThisMachine(clientAddress(request, trustedProxies))
}

/** The network to count a request for; undefined if rate limits do not apply. */
export function countedNetwork(
  request: IncomingMessage,
  addresses: CountedAddresses,
): string | undefined {
  if (!isCounted(request, addresses)) return undefined
  return networkOf(clientAddress(request, addresses.trustedProxies))
}

function isThisMachine(address: string): boolean {
  if (isIPv4(address)) return address.startsWith('127.')
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback'
}

/** Strips the port that some proxies add: `192.0.2.1:4711` or `[2001:db8::1]:4711`. */
function withoutPort(hop: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(hop)?.[1] ?? hop.replace(/^([\d.]+):\d+$/, '$1')
}
