/** Rate-limit cost of a request, which grows with its body. */

import type { IncomingMessage } from 'node:http'

const UNIT_BYTES = 16 * 1024

/** Units of a request: 1, plus 1 for every 16 KiB of its body. */
export function weightOf(bodyBytes: number): number {
  return 1 + Math.floor(bodyBytes / UNIT_BYTES)
}

/**
 * The body length by Content-Length, which Node's parser enforces (RFC 9112, 6.3). Undefined for a
 * chunked body, whose length is unknown until read.
 */
export function declaredBytes({ headers }: IncomingMessage): number | undefined {
  if (headers['transfer-encoding'] !== undefined) return undefined
  return Number(headers['content-length'] ?? 0)
}
