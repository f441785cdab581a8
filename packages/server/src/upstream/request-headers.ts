/** The headers of a request: what a tool may add, and what only the client sets. */

import type { WriteOptions } from './upstream.ts'

export interface HeaderOptions {
  readonly apiKey: string | undefined
  /** Lower case. */
  readonly apiKeyHeader: string
  readonly userAgent: string
  /** The header of the caller's token, with `{key}` in it; `authorization` with `Bearer` if left out. */
  readonly tokenHeader?: { readonly name: string; readonly template: string } | undefined
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
    const isOurs = lowerCase === options.apiKeyHeader || lowerCase === options.tokenHeader?.name
    if (RESERVED.has(lowerCase) || isOurs) {
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

const BEARER = { name: 'authorization', template: 'Bearer {key}' }

/** The header that says who calls; none without a token. */
export function tokenHeaders(
  { tokenHeader = BEARER }: HeaderOptions,
  token: string | undefined,
): Record<string, string> {
  if (token === undefined) return {}
  return { [tokenHeader.name]: tokenHeader.template.replace('{key}', () => token) }
}
