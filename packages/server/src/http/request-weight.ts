/** How much a request counts in rate limits: more, the larger its body is. */

import type { IncomingMessage } from 'node:http'

const UNIT_BYTES = 16 * 1024

/** Units of a request whose body has so many bytes: 1, and 1 more for every 16 KiB. */
export function weightOf(bodyBytes: number): number {
  return 1 + Math.floor(bodyBytes / UNIT_BYTES)
}

/**
 * The length of the body as its header tells it, which Node's parser holds the client to
 * (RFC 9112, 6.3). Undefined for a body in chunks: nobody knows how long it is until it was read.
 */
export function declaredBytes({ headers }: IncomingMessage): number | undefined {
  if (headers['transfer-encoding'] !== undefined) return undefined
  return Number(headers['content-length'] ?? 0)
}
