/** One client request of the 2025 era as a transport of its own: one request in, its answer out. */

import type {
  AuthInfo,
  JSONRPCMessage,
  JSONRPCRequest,
  MessageExtraInfo,
  Transport,
} from '@modelcontextprotocol/server'
import type { ClientAnswers } from './client-answers.ts'
import { createOutgoingRequests, isAnswer } from './outgoing-requests.ts'
import type { Outlet } from './outlet.ts'

export interface Exchange {
  readonly transport: Transport
  /** Hands a message to the server and gives its answer, which never reaches the client. */
  replay(request: JSONRPCRequest): Promise<JSONRPCMessage>
  /** Hands the client's request to the server; its answer leaves by the outlet. */
  serve(request: JSONRPCRequest, outlet: Outlet, authInfo: AuthInfo): void
  /** The client does not want the answer any more (2025-11-25, basic/utilities/cancellation). */
  cancel(reason: string): void
}

export function createExchange(answers: ClientAnswers, connectionId: string): Exchange {
  const swallowed = new Map<unknown, (answer: JSONRPCMessage) => void>()
  const outgoing = createOutgoingRequests(answers, connectionId, (message) => toServer(message))
  let serving: { readonly request: JSONRPCRequest; readonly outlet: Outlet } | undefined

  const transport: Transport = {
    start: async () => undefined,
    async send(message) {
      const { id } = message as { id?: unknown }
      const taker = isAnswer(message) ? swallowed.get(id) : undefined
      if (taker !== undefined) {
        swallowed.delete(id)
        taker(message)
      } else if (isAnswer(message)) {
        serving?.outlet.answer(message)
        serving = undefined
        // Not at once: the SDK is still in the middle of sending.
        queueMicrotask(() => void transport.close())
      } else {
        serving?.outlet.tell(outgoing.toWire(message))
      }
    },
    async close() {
      outgoing.forgetAll()
      transport.onclose?.()
    },
  }

  function toServer(message: JSONRPCMessage, extra?: MessageExtraInfo): void {
    transport.onmessage?.(message, extra)
  }

  return {
    transport,
    replay(request) {
      const answered = new Promise<JSONRPCMessage>((resolve) => swallowed.set(request.id, resolve))
      toServer(request)
      return answered
    },
    serve(request, outlet, authInfo) {
      serving = { request, outlet }
      toServer(request, { authInfo })
    },
    cancel(reason) {
      if (serving === undefined) return
      const { request, outlet } = serving
      serving = undefined
      const params = { requestId: request.id, reason }
      toServer({ jsonrpc: '2.0', method: 'notifications/cancelled', params })
      outlet.drop()
      queueMicrotask(() => void transport.close())
    },
  }
}
