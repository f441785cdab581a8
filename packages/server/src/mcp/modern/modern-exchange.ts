/**
 * One request of the 2026 era and its response: JSON, or the response of the SDK's transport if a
 * notification precedes the result, the request fails, or the result takes long. Requests share
 * their servers.
 */

import {
  type AuthInfo,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type McpServer,
  PerRequestHTTPServerTransport,
} from '@modelcontextprotocol/server'
import { Timer } from '../../deadlines.ts'
import { CLIENT_CLOSED_REQUEST } from '../../errors.ts'
import { JsonAnswer, type McpAnswer } from '../mcp-request.ts'
import { boundResponse } from '../outgoing-messages.ts'
import type { Audience } from '../request-context.ts'
import { type BuildServer, MODERN_REVISION } from '../server-factory.ts'
import { type SharedServer, shareServer } from '../shared-server.ts'

interface ModernRequest {
  readonly message: JSONRPCRequest
  readonly authInfo: AuthInfo
  /** Its signal reports a client disconnect to the SDK. */
  readonly request: Request
  readonly onClose: (listener: () => void) => void
  /** Opens an event stream at once: the request has been silent for `SILENCE_MS`. */
  readonly streams?: boolean
}

/**
 * How long a request may run before its response becomes an event stream, whose keep-alive comments
 * prevent proxies and clients from closing a silent connection: some allow ten seconds, many 30 to 60.
 */
export const SILENCE_MS = 5000

/** A disconnect cancels (2026-07-28, basic/utilities/cancellation). */
export function serveModern(
  server: SharedServer,
  { message, authInfo, request, onClose, streams = false }: ModernRequest,
): Promise<McpAnswer> {
  return new Promise((resolve) => {
    let stream: ReturnType<typeof openStream> | undefined
    /** False while the SDK may still reject the request, with its own HTTP status. */
    let handled = false
    const pass = (said: JSONRPCMessage) => {
      stream ??= openStream(message, request, resolve)
      stream.pass(said, handled)
    }
    const silence = new Timer(streams ? 0 : SILENCE_MS, () => {
      stream ??= openStream(message, request, resolve, 'sse')
      stream.open()
    })
    const sink = {
      notify: pass,
      respond(said: JSONRPCMessage) {
        silence.clear()
        if (stream === undefined && 'result' in said) resolve(new JsonAnswer(said))
        else pass(said)
      },
    }
    const cancel = server.serve(message, sink, { authInfo })
    handled = true
    onClose(() => {
      silence.clear()
      cancel('the client is gone')
      resolve(new Response(null, { status: CLIENT_CLOSED_REQUEST }))
    })
  })
}

/** The SDK's per-request transport, without a server: builds a response from the given messages. */
function openStream(
  message: JSONRPCRequest,
  request: Request,
  respond: (response: Response) => void,
  responseMode: 'auto' | 'sse' = 'auto',
) {
  const transport = new PerRequestHTTPServerTransport({ classification, responseMode })
  const send = (said: JSONRPCMessage) => {
    void transport.send(said, { relatedRequestId: message.id })
  }
  let isOpen = false

  function start(onMessage: () => void): void {
    isOpen = true
    transport.onmessage = onMessage
    void transport.start()
    // Rejects if the client disconnects first; no response is needed then.
    transport
      .handleMessage(message, { request })
      .then(boundResponse)
      .then(respond, () => undefined)
  }

  return {
    /** Sends the headers, and a comment: some proxies hold the headers back until the first byte. */
    open(): void {
      if (isOpen) return
      start(() => undefined)
      transport.writeCommentFrame('open')
    },
    pass(said: JSONRPCMessage, handled: boolean): void {
      if (handled && !isOpen) start(() => undefined)
      if (handled) send(said)
      else start(() => send(said))
    },
  }
}

/** The classification by which the SDK recognizes the era. */
const classification = { era: 'modern', revision: MODERN_REVISION } as const

export async function createModernServers(buildServer: BuildServer) {
  const share = (server: McpServer) =>
    shareServer(server, new PerRequestHTTPServerTransport({ classification }), { classification })
  const servers: Readonly<Record<Audience, SharedServer>> = {
    anonymous: await share(buildServer({ audience: 'anonymous' })),
    token: await share(buildServer({ audience: 'token' })),
  }
  return {
    /** Servers keep no client state: each request describes its client. */
    of: (audience: Audience): SharedServer => servers[audience],
    async close(): Promise<void> {
      await Promise.all(Object.values(servers).map((server) => server.close()))
    },
  }
}
