/**
 * API responses: reads the body as JSON, text or bytes, of bounded size, and the headers that are
 * visible to tools.
 */

import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type { HiddenCredentials } from './hidden-credentials.ts'
import { UpstreamError } from './upstream-error.ts'

export interface Response {
  readonly statusCode: number
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders
  readonly body: Readable
}

export interface BodyOptions {
  readonly as: 'json' | 'text' | 'bytes' | 'stream'
  readonly maxBytes: number
  readonly hidden: HiddenCredentials
}

/** Limits for draining an unread body, so that the connection can be reused. */
const DRAIN_BYTES = 16 * 1024
const DRAIN_MS = 1000

/** RFC 9110, 15.3.5, 15.3.6 and 15.4.5: No Content, Reset Content, Not Modified. */
const WITHOUT_CONTENT = new Set([204, 205, 304])

/**
 * Reads a whole response: JSON is parsed (undefined without content), bytes are unchanged.
 * Throws UpstreamError `upstream_too_large` beyond `maxBytes` bytes and `upstream_bad_response` for
 * a body of another type.
 */
export async function readResponseBody(
  response: Response,
  method: string,
  options: BodyOptions,
): Promise<unknown> {
  const { as, maxBytes, hidden } = options
  const { statusCode: status, headers } = response
  const type = single(headers['content-type'])
  if (hasNoContent(response, method)) {
    discardBody(response)
    return emptyBody(as)
  }
  checkBody(response, options)
  const received = await readBytes(response, maxBytes)
  const bytes = isJson(type) ? hidden.overwriteJson(received) : hidden.overwrite(received)
  if (as === 'bytes') return new Uint8Array(bytes)
  if (as === 'text') return hidden.text(decodeText(bytes, type, status))
  if (bytes.length === 0 && type === undefined) return undefined
  if (!isJson(type)) throw badResponse(status, 'content-type')
  return parseJson(bytes, status)
}

/**
 * Rejects, by its headers alone, a body that is too large or encoded.
 * @throws UpstreamError
 */
export function checkBody(response: Response, { as, maxBytes }: BodyOptions): void {
  const { headers } = response
  // Requests ask for `identity`; an encoded body could be a zip bomb.
  const encoding = single(headers['content-encoding']) ?? 'identity'
  const isRead = as === 'json' || as === 'text'
  if (isRead && encoding.trim().toLowerCase() !== 'identity') {
    throw refuse(response, 'upstream_bad_response', 'content-encoding')
  }
  if (Number(single(headers['content-length'])) > maxBytes) {
    throw refuse(response, 'upstream_too_large', 'content-length')
  }
}

function emptyBody(as: BodyOptions['as']): unknown {
  if (as === 'json') return undefined
  return as === 'text' ? '' : new Uint8Array()
}

export function hasNoContent({ statusCode, headers }: Response, method: string): boolean {
  if (method === 'HEAD' || WITHOUT_CONTENT.has(statusCode)) return true
  return single(headers['content-length']) === '0'
}

/** Drains or destroys an unread body, to release its connection. */
export function discardBody({ body }: Response): void {
  let size = 0
  const timer = setTimeout(() => body.destroy(), DRAIN_MS)
  body
    .on('error', ignore)
    .on('close', () => clearTimeout(timer))
    .on('data', (part: Buffer) => {
      size += part.length
      if (size > DRAIN_BYTES) body.destroy()
    })
}

/** The chunks of a body; throws UpstreamError `upstream_too_large` beyond `maxBytes` bytes. */
export async function* boundedParts(
  { body, statusCode: status }: Response,
  maxBytes: number,
): AsyncGenerator<Buffer, void, void> {
  let size = 0
  for await (const part of body) {
    size += part.length
    // Leaving the loop destroys the stream, and with it the connection.
    if (size > maxBytes) throw new UpstreamError('upstream_too_large', { status })
    yield part
  }
}

/** The body of an error response: JSON or text, else undefined. Rejects if it cannot be read. */
export async function readRefusal(response: Response, options: BodyOptions): Promise<unknown> {
  const { statusCode: status, headers } = response
  const type = single(headers['content-type'])
  checkBody(response, options)
  const received = await readBytes(response, options.maxBytes)
  if (isJson(type)) return parseJson(options.hidden.overwriteJson(received), status)
  const bytes = options.hidden.overwrite(received)
  if (bytes.length === 0 || !/^text\//i.test(type ?? '')) return undefined
  return options.hidden.text(decodeText(bytes, type, status))
}

async function readBytes(response: Response, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of boundedParts(response, maxBytes)) parts.push(part)
  return Buffer.concat(parts)
}

function isJson(contentType: string | undefined): boolean {
  const [type = ''] = (contentType ?? '').split(';')
  // RFC 6839 §3.1: the `+json` suffix.
  return /^application\/(json|[a-z0-9!#$&^_.-]+\+json)$/i.test(type.trim())
}

function parseJson(bytes: Buffer, status: number): unknown {
  try {
    // RFC 8259 §8.1: JSON is UTF-8. The decoder removes a byte order mark.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    // Drops the parser's message, which quotes the body.
    throw badResponse(status, 'json')
  }
}

/** Decodes with the charset of the content type; default UTF-8. */
function decodeText(bytes: Buffer, contentType: string | undefined, status: number): string {
  const [, charset = 'utf-8'] = /;\s*charset="?([^\s;"]+)/i.exec(contentType ?? '') ?? []
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes)
  } catch {
    throw badResponse(status, 'charset')
  }
}

function refuse(
  response: Response,
  code: 'upstream_bad_response' | 'upstream_too_large',
  reason: string,
): UpstreamError {
  response.body.on('error', ignore).destroy()
  return new UpstreamError(code, { status: response.statusCode, reason })
}

function badResponse(status: number, reason: string): UpstreamError {
  return new UpstreamError('upstream_bad_response', { status, reason })
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header
}

function ignore(): void {}

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
