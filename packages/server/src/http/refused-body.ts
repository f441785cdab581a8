/** The body of a request that was refused by its headers. */

import { setTimeout as delay } from 'node:timers/promises'
import type { Context } from 'hono'
import type { HttpEnv } from './http-env.ts'
import { parseJson } from './parse-json.ts'

const MAX_VALUES = 1000
/** Clients often send the body right after the headers, in a packet of its own. */
const ARRIVES_WITHIN_MS = 100

/**
 * The parsed body, if it was read, or is small and arrives at once: the error can then name the request, and the
 * connection is kept. Undefined for all others.
 */
export async function refusedBody({ env: { call } }: Context<HttpEnv>): Promise<unknown> {
  if (call?.body !== undefined) return call.body
  if (call?.early === undefined) return undefined
  const timer = new AbortController()
  const late = delay(ARRIVES_WITHIN_MS, undefined, { signal: timer.signal }).catch(() => undefined)
  try {
    const bytes = await Promise.race([call.early, late])
    return bytes && parseJson(bytes, MAX_VALUES)
  } catch {
    return undefined
  } finally {
    timer.abort()
  }
}
