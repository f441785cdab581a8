/** The error response of a call whose node died. */

import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server'

export function lostAnswer(requestId: RequestId): JSONRPCMessage {
  const message = 'The server that ran this call was lost. Try again.'
  return { jsonrpc: '2.0', id: requestId, error: { code: -32603, message } }
}
