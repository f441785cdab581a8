/** Reads a JSON body within bounds; everything else is refused before it costs anything. */

import { isJsonContentType } from '@modelcontextprotocol/server'
import type { Context, MiddlewareHandler } from 'hono'
import { AppError } from '../errors.ts'
import { checkMessageBounds } from '../mcp/message-bounds.ts'
import { nextTurn } from '../store/next-turn.ts'
import { type BodyBudget, UNCOUNTED_BYTES } from './body-budget.ts'
import type { HttpEnv } from './context.ts'
import { expectsContinue } from './expect-continue.ts'
import { parseJson } from './parse-json.ts'
import { bodyTooLarge, readBody } from './read-body.ts'

export interface JsonBodyOptions {
  readonly bodyLimitBytes: number
  /** Values of the JSON. */
  readonly bodyMaxValues: number
}

export interface JsonBody {
  /**
   * Refuses by the headers of a POST: encodings and other content types with 415 (RFC 9110, 15.5.16),
   * a length above the limit with 413. Bodies that are small enough not to be counted, and that the
   * client does not hold back, are read from here on, beside the check of the token; all others stay
   * unread until that is done.
   */
  readonly headers: MiddlewareHandler<HttpEnv>
  /**
   * Puts the parsed body of a POST into the context. Refuses too many bytes, also for what the message
   * is, with 413, what is not JSON or has too much structure with 400, and what the node has no room
   * for with 503.
   */
  readonly body: MiddlewareHandler<HttpEnv>
}

export function jsonBody(
  { bodyLimitBytes: limitBytes, bodyMaxValues }: JsonBodyOptions,
  budget: BodyBudget,
): JsonBody {
  function read({ env }: Context<HttpEnv>): Promise<Buffer> {
    return readBody(env.incoming, { limitBytes, share: budget.shareOf(env.outgoing) })
  }

  return {
    async headers(c, next) {
      if (c.req.method === 'POST') {
        const { headers } = c.req.raw
        const length = checkHeaders(headers, limitBytes)
        const isSmall = length !== undefined && length <= UNCOUNTED_BYTES
        if (isSmall && !expectsContinue(headers)) c.set('arriving', handled(read(c)))
        await nextTurn()
      }
      await next()
    },
    async body(c, next) {
      if (c.req.method === 'POST') {
        const bytes = await (c.get('arriving') ?? read(c))
        c.set('bodyBytes', bytes.byteLength)
        c.set('body', parseJson(bytes, bodyMaxValues))
        checkMessageBounds(c.get('body'), bytes.byteLength)
      }
      await next()
    },
  }
}

/** A body that breaks off is nobody's concern where the request has been refused. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

/** The announced length; undefined without one. */
function checkHeaders(headers: Headers, limitBytes: number): number | undefined {
  const encoding = headers.get('content-encoding') ?? 'identity'
  if (encoding.toLowerCase() !== 'identity') throw unsupported('Content-Encoding is not supported.')
  if (!isJsonContentType(headers.get('content-type'))) {
    throw unsupported('Content-Type must be application/json.')
  }
  const announced = headers.get('content-length')
  if (announced === null) return undefined
  const length = Number(announced)
  if (length > limitBytes) throw bodyTooLarge(limitBytes)
  return length
}

function unsupported(message: string): AppError {
  return new AppError('unsupported_media_type', message)
}
