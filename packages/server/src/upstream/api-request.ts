/**
 * API requests: the headers that a tool may set, and bodies as JSON, form, multipart or bytes,
 * buffered in memory to allow retries.
 */

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
    if (!NAME.test(name)) throw new TypeError('A header has an invalid name')
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
  throw new TypeError(`The header "${name}" has an invalid value`)
}

interface RequestBody {
  readonly content: string | Uint8Array | null
  readonly type: string | undefined
}

/** RFC 9110, 8.3.1, with parameters. */
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(\s*;\s*[\w!#$&^.+-]+=("[^"\r\n]*"|[^\s;"]+))*$/

/** @throws TypeError for a body that cannot be encoded */
export async function encodeBody({ body, contentType }: WriteOptions): Promise<RequestBody> {
  if (contentType !== undefined && !MEDIA_TYPE.test(contentType)) {
    throw new TypeError('The content type of the body is not a media type')
  }
  if (body === undefined) return { content: null, type: undefined }
  if (body instanceof URLSearchParams || body instanceof FormData) {
    if (contentType !== undefined) {
      throw new TypeError('A form has its own content type; leave contentType out')
    }
    // Uses the platform's encoder, which escapes names and picks the boundary.
    const encoded = new Response(body)
    const type = encoded.headers.get('content-type') ?? undefined
    return { content: new Uint8Array(await encoded.arrayBuffer()), type }
  }
  if (body instanceof Blob) {
    const type = contentType ?? (body.type || OCTETS)
    return { content: new Uint8Array(await body.arrayBuffer()), type }
  }
  const bytes = bytesOf(body)
  if (bytes !== undefined) return { content: bytes, type: contentType ?? OCTETS }
  if (body instanceof ReadableStream) throw new TypeError('A stream cannot be sent as a body')
  const json = JSON.stringify(body)
  if (json === undefined) throw new TypeError('The body cannot be written as JSON')
  return { content: json, type: contentType ?? 'application/json' }
}

const OCTETS = 'application/octet-stream'

function bytesOf(body: unknown): Uint8Array | undefined {
  if (body instanceof ArrayBuffer) return new Uint8Array(body)
  if (!ArrayBuffer.isView(body)) return undefined
  return new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
}
