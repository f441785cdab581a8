/** Reads the JSON body of a call within bounds; everything else is refused before it costs anything. */

import type { IncomingHttpHeaders } from 'node:http'
import { isJsonContentType } from '@modelcontextprotocol/server'
import { AppError } from '../errors.ts'
import { type BodyBudget, UNCOUNTED_BYTES } from '../http/body-budget.ts'
import { parseJson } from '../http/parse-json.ts'
import { bodyTooLarge, readBody } from '../http/read-body.ts'
import { checkMessageBounds } from '../mcp/message-bounds.ts'
import type { Call } from './call.ts'

export interface BodyOptions {
  readonly bodyLimitBytes: number
  /** Values of the JSON. */
  readonly bodyMaxValues: number
}

/**
 * Refuses by the headers: encodings and other content types with 415 (RFC 9110, 15.5.16), a length
 * above the limit with 413. Gives the announced length; undefined without one.
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
 * Reads bodies that are small enough not to be counted, and that the client does not hold back; all
 * others stay unread until it is known who calls.
 */
export function readEarly(call: Call, length: number | undefined, read: ReadBytes): void {
  if (length === undefined || length > UNCOUNTED_BYTES) return
  const { incoming } = call
  if (expectsContinue(incoming.headers)) return
  // All of it is there already, as nearly always: no need to listen.
  if (incoming.complete && incoming.readableLength === length && length > 0) {
    call.early = incoming.read() as Buffer
    return
  }
  const arriving = read(call)
  // A body that breaks off is nobody's concern where the request has been refused.
  arriving.catch(() => undefined)
  call.early = arriving
}

export type ReadBytes = (call: Call) => Promise<Buffer>

export function createReadBytes({ bodyLimitBytes }: BodyOptions, budget: BodyBudget): ReadBytes {
  return ({ incoming, outgoing }) =>
    readBody(incoming, { limitBytes: bodyLimitBytes, share: budget.shareOf(outgoing) })
}

/**
 * Puts the parsed body into the call. Refuses too many bytes, also for what the message is, with 413,
 * what is not JSON or has too much structure with 400, and what the node has no room for with 503.
 */
export function parseBody(call: Call, bytes: Buffer, { bodyMaxValues }: BodyOptions): void {
  call.bodyBytes = bytes.byteLength
  call.body = parseJson(bytes, bodyMaxValues)
  checkMessageBounds(call.body, bytes.byteLength)
}

/** Whether a client waits for a response before it sends the body. */
function expectsContinue(headers: IncomingHttpHeaders): boolean {
  return headers.expect?.toLowerCase() === '100-continue'
}
