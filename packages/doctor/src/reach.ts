/** How far the doctor goes: what a server names must not lead it further in than the server itself is. */

import { lookup } from 'node:dns/promises'
import ipaddr from 'ipaddr.js'
import { isPublicAddress } from '../../server/src/upstream/public-address.ts'
import { boundedFetch } from './http.ts'

const OF_COMPANIES: ReadonlySet<string> = new Set(['private', 'uniqueLocal', 'carrierGradeNat'])

/** 0 on the internet, 1 in a network behind it, 2 on a machine itself or its link. */
function depthOf(address: string): number {
  if (isPublicAddress(address)) return 0
  return OF_COMPANIES.has(ipaddr.process(address).range()) ? 1 : 2
}

async function depthsOf(url: URL): Promise<readonly number[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return (await lookup(host, { all: true })).map(({ address }) => depthOf(address))
}

/**
 * Whether an address that a server named may be asked: on its own origin, or no further inside a
 * network than `base`, the address that is examined. Rejects where a name has no address.
 */
export async function isWithinReach(named: string | URL, base: string | URL): Promise<boolean> {
  if (!URL.canParse(String(named))) return false
  const [to, from] = [new URL(named), new URL(base)]
  if (!/^https?:$/.test(to.protocol)) return false
  if (to.origin === from.origin) return true
  const [there, here] = await Promise.all([depthsOf(to), depthsOf(from)])
  return Math.max(...there) <= Math.min(...here)
}

/** Sends requests from page to page, as far as that goes. Rejects where it goes too far in. */
export function fetchWithinReach(base: string | URL): typeof fetch {
  return async (to, init) => {
    const { url } = new Request(to)
    if (await isWithinReach(url, base)) return boundedFetch(to, init)
    throw new Error(
      `it leads to ${new URL(url).origin}, inside the network, where the doctor does not go`,
    )
  }
}
