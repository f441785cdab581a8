/** DNS lookups of host names from untrusted sources, outside of libuv's thread pool. */

import { type LookupAddress, promises } from 'node:dns'

/** c-ares doubles the time with the second try. */
const TIMEOUT_MS = 1000
const TRIES = 2

const LOOPBACK: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
]

export type ResolveHost = (hostname: string) => Promise<readonly LookupAddress[]>

/**
 * `lookup` blocks one of the two threads for lookups until the system's resolver gives up, after ten
 * seconds: a few names whose servers never answer would stall those of the API, of the identity
 * provider and of Redis (denial of service). This resolver waits on sockets, for three seconds per name server.
 * It ignores the hosts file and search domains, whose names are not public.
 * @param servers instead of the system's name servers
 */
export function createPublicResolver(servers?: readonly string[]): ResolveHost {
  return async (hostname) => {
    // RFC 6761, 6.3: name servers are not asked.
    if (/(?:^|\.)localhost\.?$/i.test(hostname)) return LOOPBACK
    // A new one each time, since it reads the system's name servers only once.
    const resolver = new promises.Resolver({ timeout: TIMEOUT_MS, tries: TRIES })
    if (servers !== undefined) resolver.setServers(servers)
    const [v4, v6] = await Promise.allSettled([
      resolver.resolve4(hostname),
      resolver.resolve6(hostname),
    ])
    const found = [...addressesOf(v4, 4), ...addressesOf(v6, 6)]
    if (found.length === 0 && v4.status === 'rejected') throw v4.reason
    return found
  }
}

function addressesOf(answer: PromiseSettledResult<string[]>, family: 4 | 6): LookupAddress[] {
  if (answer.status === 'rejected') return []
  return answer.value.map((address) => ({ address, family }))
}
