/** Reads the body of a request refused by its headers, to echo its JSON-RPC id. */

import { setTimeout as delay } from 'node:timers/promises'
import type { Context } from 'hono'
import { parseJson } from '../json-structure.ts'
import type { HttpEnv } from './http-env.ts'

const MAX_VALUES = 1000
/** Clients often send the body right after the headers, in a separate packet. */
const ARRIVES_WITHIN_MS = 100

/**
 * The parsed body, if already read, or small and about to arrive: the error can then echo the
 * request's id, and the connection stays open. Otherwise undefined.
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
