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
  const shared = new SharedServer(server, transport, about)
  await server.connect(transport)
  return shared
}

export class SharedServer {
  readonly server: McpServer
  readonly #transport: Transport
  readonly #about: MessageExtraInfo
  readonly #running = new Map<RequestId, Running>()
  #count = 0

  constructor(server: McpServer, transport: Transport, about: MessageExtraInfo) {
    this.server = server
    this.#transport = transport
    this.#about = about
    transport.send = async (message, options) => this.#send(message, options?.relatedRequestId)
  }

  /**
   * Serves a request. The returned function cancels it: the sink then receives no further messages
   * and no response. It has no effect after the response.
   */
  serve(
    request: JSONRPCRequest,
    sink: RequestSink,
    extra: MessageExtraInfo,
  ): (reason: string) => void {
    this.#count += 1
    const inner = this.#count
    const { id, method } = request
    this.#running.set(inner, { id, method, sink, hasNotified: false })
    this.deliver({ ...request, id: inner }, { ...this.#about, ...extra })
    return (reason) => {
      if (this.#running.delete(inner)) this.#abort(inner, reason)
    }
  }

  /** Delivers a message of the client, such as its response to a request of the server. */
  readonly deliver = (message: JSONRPCMessage, extra: MessageExtraInfo = this.#about): void =>
    this.#transport.onmessage?.(message, extra)

  /** Aborts all running requests. */
  async close(): Promise<void> {
    await this.#transport.close()
  }

  /** Writes a message of the server to the sink of the request that it is about. */
  #send(message: JSONRPCMessage, relatedRequestId: RequestId | undefined): void {
    const isAnswer = !('method' in message)
    const inner = isAnswer ? message.id : relatedRequestId
    const found = inner === undefined ? undefined : this.#running.get(inner)
    if (inner !== undefined && found !== undefined) {
      if (isAnswer) {
        this.#finish(inner, found)
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

  /** Aborts pending server-to-client requests. The engine stops what a tool leaves running. */
  #finish(inner: RequestId, { method, hasNotified }: Running): void {
    this.#running.delete(inner)
    if (hasNotified || method !== 'tools/call') this.#abort(inner, 'the request has ended')
  }

  #abort(inner: RequestId, reason: string): void {
    const params = { requestId: inner, reason }
    this.deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params })
  }
}
