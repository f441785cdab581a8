/** The body of a request that was refused by its headers. */

import { setTimeout as delay } from 'node:timers/promises'
import { isJsonContentType } from '@modelcontextprotocol/server'
import type { Context } from 'hono'
import type { HttpEnv } from './context.ts'
import { parseJson } from './parse-json.ts'
import { readBody } from './read-body.ts'

/** Larger bodies, and those of a length that is not announced, stay unread. */
const MAX_BYTES = 16 * 1024
const MAX_VALUES = 1000
/** Clients often send the body right after the headers, in a packet of its own. */
const ARRIVES_WITHIN_MS = 100

/**
 * The parsed body, if it is small and arrives at once: the error can then name the request, and the
 * connection is kept. Undefined for all others.
 */
export async function refusedBody({ req, env: { incoming } }: Context<HttpEnv>): Promise<unknown> {
  const length = Number(incoming.headers['content-length'] ?? 0)
  const isSmall = length > 0 && length <= MAX_BYTES && isJsonContentType(req.header('content-type'))
  if (req.method !== 'POST' || !isSmall || incoming.readableDidRead) return undefined
  const timer = new AbortController()
  const read = readBody(incoming, { limitBytes: MAX_BYTES, share: UNCOUNTED }).then(
    (bytes) => parseJson(bytes, MAX_VALUES),
    () => undefined,
  )
  const late = delay(ARRIVES_WITHIN_MS, undefined, { signal: timer.signal }).catch(() => undefined)
  try {
    return await Promise.race([read, late])
  } catch {
    return undefined
  } finally {
    timer.abort()
  }
}

const UNCOUNTED = { hold: () => undefined }
