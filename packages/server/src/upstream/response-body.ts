/** From an answer's bytes to a value: a capped size, one encoding, JSON only. */

import type { Dispatcher } from 'undici'
import { UpstreamError } from './upstream-error.ts'

type Response = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>

/** Errors' bodies are not read, only drained so that the connection can be used again. */
const DRAIN_BYTES = 16 * 1024
const DRAIN_MS = 1000

/**
 * Reads a successful answer: parsed JSON, or undefined when it has no content. Throws
 * UpstreamError `upstream_too_large` beyond `maxBytes` bytes and `upstream_bad_response` for
 * anything but JSON.
 */
export async function readResponseBody(response: Response, maxBytes: number): Promise<unknown> {
  const { statusCode: status, headers } = response
  // RFC 9110 §15.3.5 and §15.3.6: No Content, Reset Content.
  if (status === 204 || status === 205) {
    discardBody(response)
    return undefined
  }
  // We asked for `identity`; an encoded answer could grow without limit when decoded.
  const encoding = single(headers['content-encoding']) ?? 'identity'
  if (encoding.trim().toLowerCase() !== 'identity') {
    throw refuse(response, 'upstream_bad_response', 'content-encoding')
  }
  if (Number(single(headers['content-length'])) > maxBytes) {
    throw refuse(response, 'upstream_too_large', 'content-length')
  }
  const bytes = await readBytes(response, maxBytes)
  const type = single(headers['content-type'])
  if (bytes.length === 0 && type === undefined) return undefined
  if (!isJson(type)) throw badResponse(status, 'content-type')
  return parseJson(bytes, status)
}

/** Lets go of a body nobody will read. */
export function discardBody(response: Response): void {
  const signal = AbortSignal.timeout(DRAIN_MS)
  response.body.dump({ limit: DRAIN_BYTES, signal }).catch(ignore)
}

async function readBytes(response: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response.body) {
    size += chunk.length
    // Leaving the loop destroys the stream, and with it the connection.
    if (size > maxBytes)
      throw new UpstreamError('upstream_too_large', { status: response.statusCode })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

function isJson(contentType: string | undefined): boolean {
  const [type = ''] = (contentType ?? '').split(';')
  // RFC 6839 §3.1: the `+json` suffix.
  return /^application\/(json|[a-z0-9!#$&^_.-]+\+json)$/i.test(type.trim())
}

function parseJson(bytes: Buffer, status: number): unknown {
  try {
    // RFC 8259 §8.1: JSON is UTF-8.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    // The parser's own message quotes the body: dropped.
    throw badResponse(status, 'json')
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
  return Array.isArray(header) ? header.join(',') : header
}

function ignore(): void {}
