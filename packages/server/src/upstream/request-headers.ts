/** Request headers: those a tool may set, and those reserved for the client. */

import type { WriteOptions } from './upstream.ts'

export interface HeaderOptions {
  readonly apiKey: string | undefined
  /** Lower case. */
  readonly apiKeyHeader: string
  /** The header that carries the caller's token, in lower case. */
  readonly tokenHeader: string
  readonly userAgent: string
}

/** Reserved: authentication, target and message framing. */
const RESERVED = new Set([
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'host',
  'http2-settings',
  'idempotency-key',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Field names and values (RFC 9110, 5.1 and 5.5); no line breaks (header injection). */
const NAME = /^[\w!#$%&'*+.^`|~-]+$/
const VALUE = /^[\t\x20-\x7E\x80-\xFF]*$/

const ACCEPT = { json: 'application/json', text: 'text/*, */*;q=0.5', bytes: '*/*', stream: '*/*' }

/** All headers but the token. Throws TypeError for an invalid or reserved header. */
export function requestHeaders(
  options: HeaderOptions,
  write: WriteOptions,
  bodyType: string | undefined,
): Record<string, string> {
  const headers: Record<string, string> = {
    accept: ACCEPT[write.as ?? 'json'],
    'user-agent': options.userAgent,
  }
  for (const [name, value] of Object.entries(write.headers ?? {})) {
    const lowerCase = name.toLowerCase()
    if (!NAME.test(name)) throw new TypeError('A header has a name that is not one')
    const isOwn = lowerCase === options.apiKeyHeader || lowerCase === options.tokenHeader
    if (isOwn || RESERVED.has(lowerCase)) {
      throw new TypeError(`The header "${lowerCase}" is set by the client`)
    }
    headers[lowerCase] = headerValue(lowerCase, value)
  }
  const { ifMatch, ifNoneMatch, idempotencyKey } = write
  if (ifMatch !== undefined) headers['if-match'] = headerValue('if-match', ifMatch)
  if (ifNoneMatch !== undefined)
    headers['if-none-match'] = headerValue('if-none-match', ifNoneMatch)
  // Without a content coding, the size limit also bounds the decoded body (no zip bomb).
  headers['accept-encoding'] = 'identity'
  if (options.apiKey !== undefined) headers[options.apiKeyHeader] = options.apiKey
  if (bodyType !== undefined) headers['content-type'] = bodyType
  if (idempotencyKey !== undefined) {
    headers['idempotency-key'] = headerValue('idempotency-key', idempotencyKey)
  }
  return headers
}

/** Rejects line breaks, which would allow header injection. */
function headerValue(name: string, value: unknown): string {
  if (typeof value === 'string' && VALUE.test(value)) return value
  throw new TypeError(`The header "${name}" has a value that no header can hold`)
}
