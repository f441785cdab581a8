/** One client request of the 2025 era: what the server says about it, on its way out and back. */

import type { AuthInfo, JSONRPCRequest } from '@modelcontextprotocol/server'
import { withNotFoundCode } from '../not-found-error.ts'
import type { SharedServer } from '../shared-server.ts'
import type { ClientAnswers } from './client-answers.ts'
import { createOutgoingRequests } from './outgoing-requests.ts'
import type { Outlet } from './outlet.ts'
import type { RunningCall } from './running-calls.ts'

export interface Exchange extends RunningCall {
  /** Hands the client's request to the server; its answer leaves by the outlet. */
  serve(outlet: Outlet, authInfo: AuthInfo): void
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
  let serving: { readonly outlet: Outlet; readonly cancel: (reason: string) => void } | undefined

  function end(): void {
    serving = undefined
    outgoing.forgetAll()
    for (const listener of ended.splice(0)) listener()
  }

  /** Aborts the tool; gives back the way out if there is an answer to come. */
  function stop(reason: string): Outlet | undefined {
    const stopped = serving
    stopped?.cancel(reason)
    end()
    return stopped?.outlet
  }

  return {
    serve(outlet, authInfo) {
      const { hangUp } = outlet
      const extra = { authInfo, ...(hangUp !== undefined && { closeSSEStream: hangUp }) }
      const cancel = server.serve(
        request,
        {
          tell: (message) => outlet.tell(outgoing.toWire(message)),
          answer(message) {
            outlet.answer(withNotFoundCode(request.method, message))
            end()
          },
        },
        extra,
      )
      serving = { outlet, cancel }
    },
    cancel(reason) {
      stop(reason)?.drop()
    },
    fail(message) {
      const error = { code: -32603, message }
      stop(message)?.answer({ jsonrpc: '2.0', id: request.id, error })
    },
    onEnd: (listener) => void ended.push(listener),
  }
}
