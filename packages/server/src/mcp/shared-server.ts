/**
 * Shares one SDK server between concurrent requests. The cost of building a server for each request
 * grows with the number of tools; the cost of a request on a shared server does not.
 */

import type {
  JSONRPCMessage,
  JSONRPCRequest,
  JSONRPCResponse,
  McpServer,
  MessageExtraInfo,
  RequestId,
  Transport,
} from '@modelcontextprotocol/server'
import { boundError } from './outgoing-messages.ts'

/** Where the server's messages about one request are written. */
export interface RequestSink {
  /** Writes a message that is related to the request and precedes the response. */
  notify(message: JSONRPCMessage): void
  /** Called at most once, as the last message. */
  respond(message: JSONRPCResponse): void
}

export interface SharedServer {
  readonly server: McpServer
  /**
   * Serves a request. The returned function cancels it: the sink then receives no further messages
   * and no response. It has no effect after the response.
   */
  serve(
    request: JSONRPCRequest,
    sink: RequestSink,
    extra: MessageExtraInfo,
  ): (reason: string) => void
  /** Delivers a client's response to a request of the server. */
  deliver(message: JSONRPCMessage): void
  /** Aborts all running requests. */
  close(): Promise<void>
}

interface Running {
  /** The client's request id. */
  readonly id: RequestId
  readonly method: string
  readonly sink: RequestSink
  /** Whether a notification or server request preceded the response. */
  hasNotified: boolean
}

/**
 * Connects a server once for all requests. Renumbers requests internally, so that equal ids of
 * different clients never collide: an internal id refers to exactly one running request.
 */
export async function shareServer(
  server: McpServer,
  transport: Transport,
  about: MessageExtraInfo = {},
): Promise<SharedServer> {
  const running = new Map<RequestId, Running>()
  let count = 0
  const deliver = (message: JSONRPCMessage, extra: MessageExtraInfo = about) =>
    transport.onmessage?.(message, extra)

  function abort(inner: RequestId, reason: string): void {
    const params = { requestId: inner, reason }
    deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params })
  }

  /** Aborts pending server-to-client requests. The engine stops what a tool leaves running. */
  function finish(inner: RequestId, { method, hasNotified }: Running): void {
    running.delete(inner)
    if (hasNotified || method !== 'tools/call') abort(inner, 'the request has ended')
  }

  transport.send = async (message, options) => {
    const isAnswer = !('method' in message)
    const inner = isAnswer ? message.id : options?.relatedRequestId
    const found = inner === undefined ? undefined : running.get(inner)
    if (inner !== undefined && found !== undefined) {
      if (isAnswer) {
        finish(inner, found)
        found.sink.respond(boundError({ ...message, id: found.id }))
      } else {
        found.hasNotified = true
        found.sink.notify(message)
      }
    } else if (!isAnswer && 'id' in message) {
      // A task that outlives its request would ask a client that no longer waits.
      throw new Error('The request has ended')
    }
  }
  await server.connect(transport)

  return {
    server,
    serve(request, sink, extra) {
      count += 1
      const inner = count
      const { id, method } = request
      running.set(inner, { id, method, sink, hasNotified: false })
      deliver({ ...request, id: inner }, { ...about, ...extra })
      return (reason) => {
        if (running.delete(inner)) abort(inner, reason)
      }
    },
    deliver,
    async close() {
      await transport.close()
    },
  }
}
