/** One client request of the 2025 era: routes the messages between server and response sink. */

import type { AuthInfo, JSONRPCRequest } from '@modelcontextprotocol/server'
import { withNotFoundCode } from '../not-found-error.ts'
import type { SharedServer } from '../shared-server.ts'
import type { ClientAnswers } from './client-answers.ts'
import { createOutgoingRequests } from './outgoing-requests.ts'
import type { ResponseSink } from './response-sink.ts'
import type { RunningCall } from './running-calls.ts'

export interface Exchange extends RunningCall {
  /** Passes the client's request to the server, which writes the response to the sink. */
  serve(sink: ResponseSink, authInfo: AuthInfo): void
  onEnd(listener: () => void): void
}

export function createExchange(
  server: SharedServer,
  answers: ClientAnswers,
  connectionId: string,
  request: JSONRPCRequest,
): Exchange {
  const outgoing = createOutgoingRequests(answers, connectionId, server.deliver)
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
