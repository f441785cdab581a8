/** Which requests last for as long as their clients want, and say nothing of how fast the server is. */

import type { IncomingMessage } from 'node:http'
import { MODERN_REVISION } from '../mcp/server.ts'

/**
 * 2026-07-28, basic/utilities/subscriptions. Both headers count: in that revision a header that says
 * other than the body is refused, before it nobody looks at them.
 */
export function isListening({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return (
    headers['mcp-method'] === 'subscriptions/listen' &&
    headers['mcp-protocol-version'] === MODERN_REVISION
  )
}
