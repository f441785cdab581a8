/** Requests below the path of `PUBLIC_URL`, as the routes know them. */

import type { IncomingMessage } from 'node:http'

/** What RFC 8414, section 3.1, and RFC 9728, section 3.1, insert before a path. */
const WELL_KNOWN = /^\/\.well-known\/(?:oauth-authorization-server|oauth-protected-resource)/

const stripped = new WeakSet<object>()

/**
 * Removes the path in place, once. What comes without it is left as it is: a proxy may have removed it
 * already, and probes ask the node itself.
 */
export function stripBasePath(request: Pick<IncomingMessage, 'url'>, basePath: string): void {
  if (basePath === '' || stripped.has(request)) return
  const { url = '/' } = request
  const inserted = WELL_KNOWN.exec(url)?.[0] ?? ''
  const rest = url.slice(inserted.length)
  if (!rest.startsWith(basePath) || !/^(?:$|[/?])/.test(rest.slice(basePath.length))) return
  stripped.add(request)
  const below = inserted + rest.slice(basePath.length)
  request.url = below.startsWith('/') ? below : `/${below}`
}
