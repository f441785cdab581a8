/** Content negotiation: pages for browsers, JSON for clients and programs. */

import { parseAccept } from 'hono/utils/accept'

const PAGE_TYPES: ReadonlySet<string> = new Set(['text/html', 'text/*'])
const JSON_TYPES: ReadonlySet<string> = new Set(['application/json', 'application/*'])

/** Whether an `Accept` header prefers HTML to JSON; a wildcard for any type does not. */
export function prefersPage(accept = ''): boolean {
  const preferred = parseAccept(accept)
    .filter(({ q }) => q > 0)
    .map(({ type }) => type.toLowerCase())
    .find((type) => PAGE_TYPES.has(type) || JSON_TYPES.has(type))
  return preferred !== undefined && PAGE_TYPES.has(preferred)
}
