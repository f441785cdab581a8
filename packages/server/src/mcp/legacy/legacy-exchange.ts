/**
 * One client request of the 2025 era: routes the messages between server and response sink, and maps
 * the request ids of the server instance to wire ids, and back in the client's responses.
 */

import {
  type AuthInfo,
  isJSONRPCNotification,
  isJSONRPCRequest,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type RequestId,
} from '@modelcontextprotocol/server'
import { withNotFoundCode } from '../not-found-error.ts'
import type { SharedServer } from '../shared-server.ts'
import type { ClientAnswers, Deliver } from './client-answers.ts'
import type { ResponseSink } from './response-sink.ts'
import type { RunningCall } from './running-calls.ts'

interface Exchange extends RunningCall {
  /** Passes the client's request to the server, which writes the response to the sink. */
  serve(sink: ResponseSink, authInfo: AuthInfo): void
  onEnd(listener: () => void): void
}

export function createExchange(
  server: SharedServer,
  answers: ClientAnswers,
  mcpSessionId: string,
  request: JSONRPCRequest,
): Exchange {
  const outgoing = createOutgoingRequests(answers, mcpSessionId, server.deliver)
  const ended: (() => void)[] = []
  let serving:
    | { readonly sink: ResponseSink; readonly cancel: (reason: string) => void }
    | undefined

  function end(): void {
    serving = undefined
    outgoing.forgetAll()
    for (const listener of ended.splice(0)) listener()
  }

  /** Aborts the tool; returns the response sink if a response is still pending. */
  function stop(reason: string): ResponseSink | undefined {
    const stopped = serving
    stopped?.cancel(reason)
    end()
    return stopped?.sink
  }

  return {
    serve(sink, authInfo) {
      const { closeStream } = sink
      const extra = { authInfo, ...(closeStream !== undefined && { closeSSEStream: closeStream }) }
      const cancel = server.serve(
        request,
        {
          notify: (message) => sink.notify(outgoing.toWire(message)),
          respond(message) {
            sink.respond(withNotFoundCode(request.method, message))
            end()
          },
        },
        extra,
      )
      serving = { sink, cancel }
    },
    cancel(reason) {
      stop(reason)?.discard()
    },
    fail(message) {
      const error = { code: -32603, message }
      stop(message)?.respond({ jsonrpc: '2.0', id: request.id, error })
    },
    onEnd: (listener) => void ended.push(listener),
  }
}

function createOutgoingRequests(answers: ClientAnswers, mcpSessionId: string, deliver: Deliver) {
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
    /** Returns the message as sent: replaces the server's request ids with wire ids. */
    toWire(message: JSONRPCMessage): JSONRPCMessage {
      if (isJSONRPCRequest(message)) {
        const { id, params } = message
        const wireId = answers.expect(mcpSessionId, (answer) => deliver(fromWire(id, answer)))
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
    /** Stops waiting for all pending responses. */
    forgetAll(): void {
      for (const id of [...wireIds.keys()]) forget(id)
    },
  }
}
