/** Maps the request ids of one server instance to wire ids, and back in the client's responses. */

import {
  isJSONRPCNotification,
  isJSONRPCRequest,
  type JSONRPCMessage,
  type RequestId,
} from '@modelcontextprotocol/server'
import type { ClientAnswers, Deliver } from './client-answers.ts'

export interface OutgoingRequests {
  /** Returns the message as sent: replaces the server's request ids with those of `wire-ids.ts`. */
  toWire(message: JSONRPCMessage): JSONRPCMessage
  /** Stops waiting for all pending responses. */
  forgetAll(): void
}

export function createOutgoingRequests(
  answers: ClientAnswers,
  connectionId: string,
  deliver: Deliver,
): OutgoingRequests {
  const wireIds = new Map<RequestId, string>()

  function fromWire(id: RequestId, message: JSONRPCMessage): JSONRPCMessage {
    if (isJSONRPCNotification(message)) {
      return { ...message, params: { ...message.params, progressToken: id } }
    }
    forget(id)
    return { ...message, id } as JSONRPCMessage
  }

  function forget(id: RequestId): void {
    const wireId = wireIds.get(id)
    if (wireId !== undefined) answers.forget(wireId)
    wireIds.delete(id)
  }

  return {
    toWire(message) {
      if (isJSONRPCRequest(message)) {
        const { id, params } = message
        const wireId = answers.expect(connectionId, (answer) => deliver(fromWire(id, answer)))
        wireIds.set(id, wireId)
        if (params?._meta?.progressToken === undefined) return { ...message, id: wireId }
        const _meta = { ...params._meta, progressToken: wireId }
        return { ...message, id: wireId, params: { ...params, _meta } }
      }
      if (isJSONRPCNotification(message) && message.method === 'notifications/cancelled') {
        const requestId = message.params?.requestId as RequestId
        const wireId = wireIds.get(requestId)
        forget(requestId)
        if (wireId === undefined) return message
        return { ...message, params: { ...message.params, requestId: wireId } }
      }
      return message
    },
    forgetAll() {
      for (const id of [...wireIds.keys()]) forget(id)
    },
  }
}
