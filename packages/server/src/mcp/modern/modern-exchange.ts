/**
 * One request of the 2026 era and its answer: JSON, or what the SDK's own transport makes of it once
 * there is something to say first, or something went wrong.
 */

import {
  type AuthInfo,
  type JSONRPCMessage,
  type JSONRPCRequest,
  PerRequestHTTPServerTransport,
} from '@modelcontextprotocol/server'
import { JsonAnswer, type McpAnswer } from '../mcp-answer.ts'
import { boundResponse } from '../outgoing-messages.ts'
import type { SharedServer } from '../shared-server.ts'
import { classification } from './modern-servers.ts'

export interface ModernRequest {
  readonly message: JSONRPCRequest
  readonly authInfo: AuthInfo
  /** For its signal, by which the SDK learns that the client is gone. */
  readonly request: Request
  readonly onClose: (listener: () => void) => void
}

/** Nobody reads it: the client has gone. */
const CLIENT_CLOSED_REQUEST = 499

/** A disconnect cancels (2026-07-28, basic/utilities/cancellation). */
export function serveModern(
  server: SharedServer,
  { message, authInfo, request, onClose }: ModernRequest,
): Promise<McpAnswer> {
  return new Promise((resolve) => {
    let stream: ReturnType<typeof openStream> | undefined
    /** Before any handler runs the SDK itself refuses, which has a status of its own. */
    let handled = false
    const pass = (said: JSONRPCMessage) => {
      stream ??= openStream(message, request, resolve)
      stream.pass(said, handled)
    }
    const sink = {
      notify: pass,
      respond(said: JSONRPCMessage) {
        if (stream === undefined && 'result' in said) resolve(new JsonAnswer(said))
        else pass(said)
      },
    }
    const cancel = server.serve(message, sink, { authInfo })
    handled = true
    onClose(() => {
      cancel('the client is gone')
      resolve(new Response(null, { status: CLIENT_CLOSED_REQUEST }))
    })
  })
}

/** The SDK's transport of one exchange, without a server: what it is given becomes its response. */
function openStream(
  message: JSONRPCRequest,
  request: Request,
  respond: (response: Response) => void,
) {
  const transport = new PerRequestHTTPServerTransport({ classification })
  const send = (said: JSONRPCMessage) => {
    void transport.send(said, { relatedRequestId: message.id })
  }
  let isOpen = false

  function open(onMessage: () => void): void {
    isOpen = true
    transport.onmessage = onMessage
    void transport.start()
    // It fails when the client goes first: then there is nobody to respond to.
    transport
      .handleMessage(message, { request })
      .then(boundResponse)
      .then(respond, () => undefined)
  }

  return {
    pass(said: JSONRPCMessage, handled: boolean): void {
      if (handled && !isOpen) open(() => undefined)
      if (handled) send(said)
      else open(() => send(said))
    },
  }
}
