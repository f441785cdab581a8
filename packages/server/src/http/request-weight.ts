/** Rate-limit cost of a request, which grows with its body. */

import type { IncomingMessage } from 'node:http'
import { MOST_SUBSCRIPTIONS } from '../mcp/bounds.ts'

const UNIT_BYTES = 16 * 1024

/** Units of a request: 1, plus 1 for every 16 KiB of its body. */
export function weightOf(bodyBytes: number): number {
  return 1 + Math.floor(bodyBytes / UNIT_BYTES)
}

interface Listening {
  readonly method?: unknown
  readonly params?: { readonly notifications?: { readonly resourceSubscriptions?: unknown } }
}

/**
 * Units of a parsed body besides its size: 1 for each resource that it subscribes to after the
 * first, since each may have to be read; in the 2025 era, each takes a request.
 */
export function furtherWeightOf(body: unknown): number {
  const listening = body as Listening | null | undefined
  if (listening?.method !== 'subscriptions/listen') return 0
  const uris = listening.params?.notifications?.resourceSubscriptions
  return Array.isArray(uris) ? Math.max(0, Math.min(uris.length, MOST_SUBSCRIPTIONS) - 1) : 0
}

/**
 * The body length by Content-Length, which Node's parser enforces (RFC 9112, 6.3). Undefined for a
 * chunked body, whose length is unknown until read.
 */
export function declaredBytes({ headers }: IncomingMessage): number | undefined {
  if (headers['transfer-encoding'] !== undefined) return undefined
  return Number(headers['content-length'] ?? 0)
}
