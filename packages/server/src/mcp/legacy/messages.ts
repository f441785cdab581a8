/**
 * Handles client messages of an MCP session, for both transports. The MCP session is in the store:
 * each request goes to an SDK server to which its `initialize` has been replayed.
 */

import {
  type AuthInfo,
  isJSONRPCNotification,
  isSpecType,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
} from '@modelcontextprotocol/server'
import { cancellationOf } from '../bounds.ts'
import { checkEnvelope, isAnswer, notAMessage } from '../client-answer.ts'
import type { Limits } from '../limits.ts'
import { withNotFoundCode } from '../not-found-error.ts'
import { type Audience, audienceOf, requestContextFrom } from '../request-context.ts'
import type { SharedServer } from '../shared-server.ts'
import type { LegacyServers } from './initialize.ts'
import type { McpSessionRecord } from './mcp-session-record.ts'
import type { McpSessions } from './mcp-sessions.ts'
import type { RunningCall, RunningCalls } from './running-calls.ts'
import {
  createOutgoingRequests,
  type OutgoingRequests,
  type ServerRequests,
} from './server-requests.ts'

interface MessageDeps {
  readonly serverRequests: ServerRequests
  readonly runningCalls: RunningCalls
  readonly mcpSessions: Pick<McpSessions, 'update'>
  readonly limits: Pick<Limits, 'call'>
  readonly servers: LegacyServers
}

/** Where the messages of one exchange are written; each transport has its own sink. */
export interface ResponseSink {
  /** Writes a message that is related to the request and precedes the response. */
  notify(message: JSONRPCMessage): void
  respond(message: JSONRPCMessage): void
  /** Closes the client's stream early. Undefined if the client would not resume it. */
  readonly closeStream?: (() => void) | undefined
  /** Ends without a response: the client cancelled. */
  discard(): void
}

/** Creates the response sink of a request before the request runs; `cancel` stops the request. */
type MakeResponseSink<T extends ResponseSink> = (cancel: () => void) => T | Promise<T>

export type LegacyMessages = ReturnType<typeof createLegacyMessages>

export function createLegacyMessages(deps: MessageDeps) {
  const { serverRequests, runningCalls, limits } = deps

  return {
    /**
     * Runs a request and returns the response sink that its messages are written to.
     * @throws AppError `too_many_requests` if its session, or the address of an unauthenticated
     * caller, has reached the concurrency limit of this node
     */
    async request<T extends ResponseSink>(
      request: JSONRPCRequest,
      mcpSession: McpSessionRecord,
      authInfo: AuthInfo,
      makeSink: MakeResponseSink<T>,
    ): Promise<T> {
      const { id } = mcpSession
      const release = limits.call(mcpSession.sessionId, requestContextFrom(authInfo).caller)
      try {
        const server = await serverFor(deps, request, audienceOf(authInfo), mcpSession)
        const outgoing = createOutgoingRequests(serverRequests, id, server.deliver)
        const exchange = createExchange(server, outgoing, request, () => {
          release()
          runningCalls.remove(id, exchange)
        })
        const sink = await makeSink(() => exchange.cancel('fenced'))
        runningCalls.add(id, request.id, exchange)
        exchange.serve(sink, authInfo)
        return sink
      } catch (error) {
        release()
        throw error
      }
    },
    /**
     * Handles a notification or a response.
     * @throws AppError `invalid_request` for anything else
     */
    async receive(message: unknown, mcpSession: McpSessionRecord): Promise<void> {
      if (isAnswer(message)) {
        checkEnvelope(message)
        await serverRequests.receiveResponse(mcpSession.id, message)
      } else if (isJSONRPCNotification(message)) {
        await receiveNotification(deps, message, mcpSession)
      } else {
        throw notAMessage()
      }
    },
  }
}

/** The SDK server that serves the request; stores the log level that the request may set. */
async function serverFor(
  { mcpSessions, servers }: MessageDeps,
  request: JSONRPCRequest,
  audience: Audience,
  mcpSession: McpSessionRecord,
): Promise<SharedServer> {
  const level = levelIn(request)
  if (level === undefined) return servers.of(audience, mcpSession)
  await mcpSessions.update(mcpSession.id, { logLevel: level })
  return servers.fresh(audience, mcpSession)
}

/** The level of a `logging/setLevel` request; undefined for other requests. */
function levelIn(request: JSONRPCRequest) {
  if (request.method !== 'logging/setLevel') return undefined
  return isSpecType.SetLevelRequest(request) ? request.params.level : undefined
}

async function receiveNotification(
  { runningCalls, serverRequests }: MessageDeps,
  notification: JSONRPCNotification,
  mcpSession: McpSessionRecord,
): Promise<void> {
  const { method, params } = notification
  if (method === 'notifications/cancelled') {
    const cancellation = cancellationOf(params)
    if (cancellation !== undefined) await runningCalls.cancel(mcpSession, cancellation)
  }
  if (method === 'notifications/progress') {
    await serverRequests.receiveProgress(mcpSession.id, notification)
  }
}

interface Exchange extends RunningCall {
  /** Passes the client's request to the server, which writes the response to the sink. */
  serve(sink: ResponseSink, authInfo: AuthInfo): void
}

/** One client request: routes the messages between the SDK server and the response sink. */
function createExchange(
  server: SharedServer,
  outgoing: OutgoingRequests,
  request: JSONRPCRequest,
  onEnd: () => void,
): Exchange {
  let serving:
    | { readonly sink: ResponseSink; readonly cancel: (reason: string) => void }
    | undefined

  function end(): void {
    serving = undefined
    outgoing.forgetAll()
    onEnd()
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
  }
}
