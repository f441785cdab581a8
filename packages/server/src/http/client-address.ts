/** Where a request comes from, as far as that can be believed. */

import type { IncomingMessage } from 'node:http'
import { isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** A site should have more than one network of /64 (RFC 6177, 2); many providers give it a /56. */
const IPV6_SITE_BITS = 56

/**
 * The client's address: that of the socket, or what the outermost of `trustedProxies` proxies saw.
 * Each adds the address it was called from at the right of `X-Forwarded-For`; what is further left
 * was sent by the client, who may write there what he likes.
 */
export function clientAddress(request: IncomingMessage, trustedProxies: number): string {
  const peer = request.socket.remoteAddress ?? ''
  if (trustedProxies === 0) return peer
  const forwarded = String(request.headers['x-forwarded-for'] ?? '').split(',')
  const hops = [...forwarded.map(withoutPort).filter((hop) => hop !== ''), peer]
  const address = hops[Math.max(0, hops.length - 1 - trustedProxies)] ?? peer
  return ipaddr.isValid(address) ? address : peer
}

/** Whom a limit counts as one: an IPv4 address, or all IPv6 networks that one site may have. */
export function networkOf(address: string): string {
  if (isIPv4(address)) return address
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${parsed}/${IPV6_SITE_BITS}`)
  return `${network}/${IPV6_SITE_BITS}`
}

export interface CountedAddresses {
  /** How many proxies of ours a request passes. */
  readonly trustedProxies: number
  /** Whether requests of this machine count like those of others. */
  readonly countsThisMachine: boolean
}

/** Whether rate limits count a request at all. */
export function isCounted(request: IncomingMessage, addresses: CountedAddresses): boolean {
  const { trustedProxies, countsThisMachine } = addresses
  return countsThisMachine || !isThisMachine(clientAddress(request, trustedProxies))
}

/** The network that rate limits count a request for; undefined for one that is not counted. */
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

/** Some proxies write `192.0.2.1:4711` or `[2001:db8::1]:4711`. */
function withoutPort(hop: string): string {
  const text = hop.trim()
  return /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? text.replace(/^([\d.]+):\d+$/, '$1')
}
