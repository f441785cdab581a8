/** The headers of a request: what a tool may add, and what only the client sets. */

import type { WriteOptions } from './upstream.ts'

export interface HeaderOptions {
  readonly apiKey: string | undefined
  /** Lower case. */
  readonly apiKeyHeader: string
  readonly userAgent: string
}

/** Who is calling, where to, and how the message is framed: not a tool's to say. */
const RESERVED = new Set([
  'accept-encoding',
  'authorization',
  'connection',
  'content-length',
  'content-type',
  'cookie',
  'host',
  'idempotency-key',
  'transfer-encoding',
])

/** Everything but `authorization`. Throws TypeError for a header that is not the tool's to set. */
export function requestHeaders(
  options: HeaderOptions,
  write: WriteOptions,
): Record<string, string> {
  const headers: Record<string, string> = {
    accept: 'application/json',
    'user-agent': options.userAgent,
  }
  for (const [name, value] of Object.entries(write.headers ?? {})) {
    const lowerCase = name.toLowerCase()
    if (RESERVED.has(lowerCase) || lowerCase === options.apiKeyHeader) {
      throw new TypeError(`The header "${lowerCase}" is set by the client`)
    }
    headers[lowerCase] = value
  }
  // Without a content coding the size limit holds for what is read and for what it becomes.
  headers['accept-encoding'] = 'identity'
  if (options.apiKey !== undefined) headers[options.apiKeyHeader] = options.apiKey
  if (write.body !== undefined) headers['content-type'] = 'application/json'
  if (write.idempotencyKey !== undefined) headers['idempotency-key'] = write.idempotencyKey
  return headers
}
