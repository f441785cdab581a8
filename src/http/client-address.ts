/** The address a request comes from: what callers without a session are told apart by. */

import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'

/**
 * The address, as far as it is known: of the connection, or what the last of the proxies in front of
 * the server was told, where these many are trusted. Each proxy adds the address it was called from
 * at the end of `X-Forwarded-For`; what stands before was given by the client, and may be made up.
 */
export function clientAddress(
  { headers, socket }: IncomingMessage,
  trustedProxies: number,
): string {
  const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',')
  const chain = [...forwarded, socket.remoteAddress ?? ''].map((each) => each.trim())
  const known = chain.filter((each) => each !== '')
  return canonical(known.at(-1 - trustedProxies) ?? known[0] ?? '')
}

/** Without a port, and of IPv6 the network: a host there has more addresses than one can count. */
function canonical(address: string): string {
  const [, bracketed, dotted] = /^\[(.+)\](?::\d+)?$|^([\d.]+)(?::\d+)?$/.exec(address) ?? []
  const host = (bracketed ?? dotted ?? address).toLowerCase()
  const [, mapped] = /^::ffff:([\d.]+)$/.exec(host) ?? []
  if (mapped !== undefined) return mapped
  return isIPv6(host) ? networkOf(host) : host.slice(0, 100)
}

/** The first four of its eight groups. */
function networkOf(address: string): string {
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const left = tail === undefined ? 0 : 8 - groups.length - tail.split(':').length
  const all = [...groups, ...Array.from({ length: left }, () => '0'), ...(tail ?? '').split(':')]
  const network = all.slice(0, 4).map((group) => Number.parseInt(group || '0', 16).toString(16))
  return `${network.join(':')}::/64`
}
