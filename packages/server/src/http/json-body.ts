/** Reads a JSON body within bounds; everything else is refused before it costs anything. */

import { isJsonContentType } from '@modelcontextprotocol/server'
import type { MiddlewareHandler } from 'hono'
import { AppError } from '../errors.ts'
import { checkMessageBounds } from '../mcp/message-bounds.ts'
import { nextTurn } from '../store/next-turn.ts'
import type { BodyBudget } from './body-budget.ts'
import type { HttpEnv } from './context.ts'
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
   * a length above the limit with 413.
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
  return {
    headers(c, next) {
      if (c.req.method === 'POST') checkHeaders(c.req.raw.headers, limitBytes)
      return next()
    },
    async body(c, next) {
      if (c.req.method === 'POST') {
        const share = budget.shareOf(c.env.outgoing)
        const bytes = await readBody(c.env.incoming, { limitBytes, share })
        c.set('bodyBytes', bytes.byteLength)
        await nextTurn()
        c.set('body', parseJson(bytes, bodyMaxValues))
        checkMessageBounds(c.get('body'), bytes.byteLength)
      }
      await next()
    },
  }
}

function checkHeaders(headers: Headers, limitBytes: number): void {
  const encoding = headers.get('content-encoding') ?? 'identity'
  if (encoding.toLowerCase() !== 'identity') throw unsupported('Content-Encoding is not supported.')
  if (!isJsonContentType(headers.get('content-type'))) {
    throw unsupported('Content-Type must be application/json.')
  }
  if (Number(headers.get('content-length') ?? 0) > limitBytes) throw bodyTooLarge(limitBytes)
}

function unsupported(message: string): AppError {
  return new AppError('unsupported_media_type', message)
}
