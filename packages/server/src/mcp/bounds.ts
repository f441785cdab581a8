/**
 * Limits of the URIs and subscriptions of clients that the server stores, in UTF-8 bytes; and the
 * fields of notifications, which nodes forward to each other.
 */

import type { JSONRPCNotification, RequestId } from '@modelcontextprotocol/server'
import { AppError } from '../errors.ts'
import { isShortId } from './incoming-message.ts'

/** Maximum subscriptions of one 2025-era MCP session or one `subscriptions/listen` stream. */
export const MOST_SUBSCRIPTIONS = 200
const LONGEST_URI_BYTES = 2048

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

/** Limit of human-readable text in notifications, in UTF-16 code units. */
const LONGEST_TEXT = 200

export interface Cancellation {
  readonly requestId: RequestId
  readonly reason: string
}

type Params = JSONRPCNotification['params']

/** 2025-11-25, basic/utilities/cancellation. Undefined if `requestId` is invalid. */
export function cancellationOf(params: Params): Cancellation | undefined {
  const requestId = params?.requestId
  if (!isShortId(requestId)) return undefined
  return { requestId, reason: shortText(params?.reason) ?? 'cancelled by the client' }
}

/** 2025-11-25, basic/utilities/progress: copies only the fields that it defines. */
export function progressOf(progressToken: string, params: Params): JSONRPCNotification | undefined {
  const [progress, total] = [params?.progress, params?.total]
  if (typeof progress !== 'number') return undefined
  const message = shortText(params?.message)
  return {
    jsonrpc: '2.0',
    method: 'notifications/progress',
    params: {
      ...{ progressToken, progress },
      ...(typeof total === 'number' && { total }),
      ...(message !== undefined && { message }),
    },
  }
}

/** Truncates a text without splitting a surrogate pair. */
function shortText(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined
  return text.slice(0, LONGEST_TEXT).replace(/[\uD800-\uDBFF]$/, '')
}
