/**
 * One POST of the 2025 era as a transport of its own: one request in, its answer out, as JSON or,
 * once there is something to say before the answer, as a stream (2025-11-25, basic/transports,
 * "Sending Messages to the Server").
 */

import type {
  AuthInfo,
  JSONRPCMessage,
  JSONRPCRequest,
  MessageExtraInfo,
  Transport,
} from '@modelcontextprotocol/server'
import type { ClientAnswers } from './client-answers.ts'
import { createEventStream, type EventStream } from './event-stream.ts'
import { createOutgoingRequests, isAnswer } from './outgoing-requests.ts'

/** A slower answer becomes a stream, so that proxies see bytes and the client knows it is under way. */
const STREAM_AFTER_MS = 300

export interface LegacyExchange {
  readonly transport: Transport
  /** Hands a message to the server and gives its answer, which never reaches the wire. */
  replay(request: JSONRPCRequest): Promise<JSONRPCMessage>
  /** Hands the client's request to the server. */
  serve(request: JSONRPCRequest, authInfo: AuthInfo): Promise<Response>
  /** The client does not want the answer any more (2025-11-25, basic/utilities/cancellation). */
  cancel(reason: unknown): void
}

export function createLegacyExchange(answers: ClientAnswers, connectionId: string): LegacyExchange {
  const swallowed = new Map<unknown, (answer: JSONRPCMessage) => void>()
  const outgoing = createOutgoingRequests(answers, connectionId, (message) => toServer(message))
  const responded = withResolvers<Response>()
  let stream: EventStream | undefined
  let requestId: unknown
  let timer: NodeJS.Timeout | undefined

  const transport: Transport = {
    start: async () => undefined,
    async send(message) {
      const { id } = message as { id?: unknown }
      const taker = isAnswer(message) ? swallowed.get(id) : undefined
      if (taker !== undefined) {
        swallowed.delete(id)
        taker(message)
      } else if (isAnswer(message)) {
        finish(message)
      } else {
        openStream().write(outgoing.toWire(message))
      }
    },
    async close() {
      clearTimeout(timer)
      outgoing.forgetAll()
      stream?.end()
      transport.onclose?.()
    },
  }

  function toServer(message: JSONRPCMessage, extra?: MessageExtraInfo): void {
    transport.onmessage?.(message, extra)
  }

  function openStream(): EventStream {
    if (stream === undefined) {
      clearTimeout(timer)
      stream = createEventStream()
      responded.resolve(stream.response)
    }
    return stream
  }

  function finish(answer: JSONRPCMessage): void {
    clearTimeout(timer)
    if (stream === undefined) responded.resolve(Response.json(answer))
    stream?.write(answer)
    // Not at once: the SDK is still in the middle of sending.
    queueMicrotask(() => void transport.close())
  }

  return {
    transport,
    replay(request) {
      const answer = withResolvers<JSONRPCMessage>()
      swallowed.set(request.id, answer.resolve)
      toServer(request)
      return answer.promise
    },
    serve(request, authInfo) {
      requestId = request.id
      timer = setTimeout(openStream, STREAM_AFTER_MS)
      toServer(request, { authInfo })
      return responded.promise
    },
    cancel(reason) {
      const params = { requestId: requestId as JSONRPCRequest['id'], reason: String(reason ?? '') }
      toServer({ jsonrpc: '2.0', method: 'notifications/cancelled', params })
      openStream()
      queueMicrotask(() => void transport.close())
    },
  }
}

interface Resolvers<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
}

/** `Promise.withResolvers` came with Node 22. */
function withResolvers<T>(): Resolvers<T> {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((accept) => {
    resolve = accept
  })
  return { promise, resolve }
}
