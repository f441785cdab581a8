/**
 * SSRF protection: URLs from the server's metadata must not lead deeper into a network than the
 * server itself.
 */

import { lookup } from 'node:dns/promises'
import ipaddr from 'ipaddr.js'
import { isPublicAddress } from '../../server/src/upstream/public-address.ts'
import { boundedFetch } from './http.ts'

const OF_COMPANIES: ReadonlySet<string> = new Set(['private', 'uniqueLocal', 'carrierGradeNat'])

/** 0 for public addresses, 1 for private networks, 2 for loopback and link-local. */
function depthOf(address: string): number {
  if (isPublicAddress(address)) return 0
  return OF_COMPANIES.has(ipaddr.process(address).range()) ? 1 : 2
}

async function depthsOf(url: URL): Promise<readonly number[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return (await lookup(host, { all: true })).map(({ address }) => depthOf(address))
}

/**
 * Whether a URL that a server named may be requested: on the server's own origin, or no deeper
 * inside a network than `base`, the URL being checked. Rejects if the name does not resolve.
 */
export async function isWithinReach(named: string | URL, base: string | URL): Promise<boolean> {
  if (!URL.canParse(String(named))) return false
  const [to, from] = [new URL(named), new URL(base)]
  if (!/^https?:$/.test(to.protocol)) return false
  if (to.origin === from.origin) return true
  const [there, here] = await Promise.all([depthsOf(to), depthsOf(from)])
  return Math.max(...there) <= Math.min(...here)
}

/** `fetch` within this limit. Rejects beyond it. */
export function fetchWithinReach(base: string | URL): typeof fetch {
  return async (to, init) => {
    const { url } = new Request(to)
    if (await isWithinReach(url, base)) return boundedFetch(to, init)
    throw new Error(
      `it leads to ${new URL(url).origin}, inside the network, where the doctor does not go`,
    )
  }
}
