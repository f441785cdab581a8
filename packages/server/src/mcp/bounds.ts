/** Limits of URIs, ids and subscriptions of clients, which the server stores; in UTF-8 bytes. */

import type { RequestId } from '@modelcontextprotocol/server'
import { AppError } from '../errors.ts'

/** Maximum subscriptions of one 2025-era MCP session or one `subscriptions/listen` stream. */
export const MOST_SUBSCRIPTIONS = 200
const LONGEST_URI_BYTES = 2048

/** Limit of a request id or progress token: every message about the request repeats them. */
export const LONGEST_ID_BYTES = 256

/** Whether a value is a valid request id or progress token. */
export function isShortId(id: unknown): id is RequestId {
  if (typeof id === 'number') return true
  return typeof id === 'string' && Buffer.byteLength(id) <= LONGEST_ID_BYTES
}

/** @throws AppError `invalid_params` */
export function checkUriLength(uri: string): void {
  if (Buffer.byteLength(uri) <= LONGEST_URI_BYTES) return
  throw new AppError('invalid_params', `The URI exceeds the limit of ${LONGEST_URI_BYTES} bytes.`)
}

/** @throws AppError `invalid_params` */
export function checkSubscriptionCount(count: number): void {
  if (count <= MOST_SUBSCRIPTIONS) return
  throw new AppError('invalid_params', `Too many subscriptions: ${MOST_SUBSCRIPTIONS} are allowed.`)
}
