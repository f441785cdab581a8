/** The response headers that are visible to tools. */

import type { HiddenCredentials } from './hidden-credentials.ts'
import type { Response } from './response-body.ts'

/** Cookies, authentication and hop-by-hop headers. */
const REMOVED = new Set([
  'set-cookie',
  'set-cookie2',
  'authorization',
  'proxy-authorization',
  'proxy-authenticate',
  'connection',
  'keep-alive',
  'transfer-encoding',
])

/** RFC 9110, 5.3: the values of one name, joined by commas. */
export function visibleHeaders(
  { headers }: Pick<Response, 'headers'>,
  hidden: HiddenCredentials,
): Record<string, string> {
  const visible: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || REMOVED.has(name)) continue
    visible[name] = hidden.text(Array.isArray(value) ? value.join(', ') : value)
  }
  return visible
}
