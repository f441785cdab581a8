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
  /** Answers with an error in place of the tool, and stops it. */
  fail(message: string): void
  onEnd(listener: () => void): void
}

export function createExchange(answers: ClientAnswers, connectionId: string): Exchange {
  const swallowed = new Map<unknown, (answer: JSONRPCMessage) => void>()
  const outgoing = createOutgoingRequests(answers, connectionId, (message) => toServer(message))
  const ended: (() => void)[] = []
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
      for (const listener of ended.splice(0)) listener()
    },
  }

  function toServer(message: JSONRPCMessage, extra?: MessageExtraInfo): void {
    transport.onmessage?.(message, extra)
  }

  /** Aborts the tool; gives back the way out if there is an answer to come. */
  function stop(reason: string): Outlet | undefined {
    if (serving === undefined) return undefined
    const { request, outlet } = serving
    serving = undefined
    const params = { requestId: request.id, reason }
    toServer({ jsonrpc: '2.0', method: 'notifications/cancelled', params })
    queueMicrotask(() => void transport.close())
    return outlet
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
      const { hangUp } = outlet
      toServer(request, { authInfo, ...(hangUp !== undefined && { closeSSEStream: hangUp }) })
    },
    cancel(reason) {
      stop(reason)?.drop()
    },
    fail(message) {
      const id = serving?.request.id
      const outlet = stop(message)
      if (id !== undefined) outlet?.answer({ jsonrpc: '2.0', id, error: { code: -32603, message } })
    },
    onEnd: (listener) => void ended.push(listener),
  }
}
