/** Extracts bounded fields from a client's notifications: they may be forwarded to another node. */

import type { JSONRPCNotification, RequestId } from '@modelcontextprotocol/server'
import { isShortId } from '../bounds.ts'

/** Limit of human-readable text, in UTF-16 code units. */
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
