/** The host names that always resolve to the loopback interface. */

/** Their spellings in `Host`, `Origin` and URLs, in lower case. */
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Whether a host, in the form of `URL.hostname`, is this machine. Such a URL may use http, and the
 * server always accepts it. Excludes names below `localhost`: browsers resolve those locally, other
 * resolvers may query a server (RFC 6761, section 6.3).
 */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK_HOSTS.has(host)
}
