/** What nodes take of a client's notifications, within bounds: it may be sent on to another node. */

import type { JSONRPCNotification, RequestId } from '@modelcontextprotocol/server'
import { isShortId } from '../bounds.ts'

/** UTF-16 units of what a person may read. */
const LONGEST_TEXT = 200

export interface Cancellation {
  readonly requestId: RequestId
  readonly reason: string
}

type Params = JSONRPCNotification['params']

/** 2025-11-25, basic/utilities/cancellation. Undefined where it names no request that there can be. */
export function cancellationOf(params: Params): Cancellation | undefined {
  const requestId = params?.requestId
  if (!isShortId(requestId)) return undefined
  return { requestId, reason: shortText(params?.reason) ?? 'cancelled by the client' }
}

/** 2025-11-25, basic/utilities/progress: the fields it defines, and no others. */
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

/** The beginning of a text, without half a surrogate pair at its end. */
function shortText(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined
  return text.slice(0, LONGEST_TEXT).replace(/[\uD800-\uDBFF]$/, '')
}
