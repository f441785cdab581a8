/** Reads and parses the JSON body of a call; enforces limits as early as they can be checked. */

import type { IncomingHttpHeaders } from 'node:http'
import { isJsonContentType } from '@modelcontextprotocol/server'
import { AppError } from '../errors.ts'
import { type BodyBudget, UNCOUNTED_BYTES } from '../http/body-budget.ts'
import { parseJson } from '../http/parse-json.ts'
import { bodyTooLarge, readBody } from '../http/read-body.ts'
import { checkMessageBounds } from '../mcp/message-bounds.ts'
import type { Call } from './fast-call.ts'

export interface BodyOptions {
  readonly bodyLimitBytes: number
  /** Maximum number of values in the JSON. */
  readonly bodyMaxValues: number
}

/**
 * Rejects by headers alone: content codings and other content types with 415 (RFC 9110, 15.5.16),
 * a `Content-Length` above the limit with 413. Returns the `Content-Length`, if there is one.
 */
export function checkHeaders(
  headers: IncomingHttpHeaders,
  { bodyLimitBytes }: BodyOptions,
): number | undefined {
  const {
    'content-encoding': encoding,
    'content-type': type,
    'content-length': announced,
  } = headers
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new AppError('unsupported_media_type', 'Content-Encoding is not supported.')
  }
  if (type !== 'application/json' && !isJsonContentType(type ?? null)) {
    throw new AppError('unsupported_media_type', 'Content-Type must be application/json.')
  }
  if (announced === undefined) return undefined
  const length = Number(announced)
  if (length > bodyLimitBytes) throw bodyTooLarge(bodyLimitBytes)
  return length
}

/**
 * Reads a body before authentication if the body budget does not count it and the client does not
 * send `Expect: 100-continue`. All other bodies stay unread until the caller is authenticated.
 */
export function readEarly(call: Call, length: number | undefined, read: ReadBytes): void {
  if (length === undefined || length > UNCOUNTED_BYTES) return
  const { incoming } = call
  if (expectsContinue(incoming.headers)) return
  // Common case: the whole body is buffered, so that no listeners are needed.
  if (incoming.complete && incoming.readableLength === length && length > 0) {
    call.early = incoming.read() as Buffer
    return
  }
  const arriving = read(call)
  // Prevents an unhandled rejection if the request is refused before it awaits its body.
  arriving.catch(() => undefined)
  call.early = arriving
}

export type ReadBytes = (call: Call) => Promise<Buffer>

export function createReadBytes({ bodyLimitBytes }: BodyOptions, budget: BodyBudget): ReadBytes {
  return ({ incoming, outgoing }) =>
    readBody(incoming, { limitBytes: bodyLimitBytes, share: budget.shareOf(outgoing) })
}

/**
 * Parses the body into the call. Rejects with 413 if the body exceeds the limit for its kind of
 * message, with 400 if it is not JSON or has too many values, with 503 if the node lacks memory.
 */
export function parseBody(call: Call, bytes: Buffer, { bodyMaxValues }: BodyOptions): void {
  call.bodyBytes = bytes.byteLength
  call.body = parseJson(bytes, bodyMaxValues)
  checkMessageBounds(call.body, bytes.byteLength)
}

/** Whether the client waits for an interim response before it sends the body (RFC 9110, 10.1.1). */
function expectsContinue(headers: IncomingHttpHeaders): boolean {
  return headers.expect?.toLowerCase() === '100-continue'
}
