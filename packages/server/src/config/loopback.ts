/** Which names lead to this machine and nowhere else. */

/** How Hosts, origins and addresses spell them, in lower case. */
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Whether a host, as `URL.hostname` gives it, is this machine: such an address may go without https,
 * and is always served. Names below `localhost` are not among them: only browsers keep those on the
 * machine, where other resolvers may ask a server about them (RFC 6761, section 6.3).
 */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK_HOSTS.has(host)
}
