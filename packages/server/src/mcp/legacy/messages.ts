/**
 * Handles client messages of an MCP session, for both transports. The MCP session is in the store:
 * each request goes to a server to which its `initialize` has been replayed. MCP sessions with an
 * equal `initialize` share a server, and most clients send one of a few.
 */

import {
  type AuthInfo,
  type InitializeRequest,
  isInitializeRequest,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isSpecType,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
  type JSONRPCResponse,
  type RequestId,
  type Transport,
} from '@modelcontextprotocol/server'
import { AppError } from '../../errors.ts'
import { createRecent } from '../../store/recent.ts'
import { checkEnvelope, isAnswer, notAMessage } from '../client-answer.ts'
import type { Limits } from '../limits.ts'
import { type Audience, audienceOf, requestContextFrom } from '../request-context.ts'
import type { BuildServer } from '../server-factory.ts'
import { type SharedServer, shareServer } from '../shared-server.ts'
import type { ClientAnswers } from './client-answers.ts'
import { createExchange } from './legacy-exchange.ts'
import type { McpSessions } from './mcp-session.ts'
import type { McpSessionRecord } from './mcp-session-record.ts'
import type { ResponseSink } from './response-sink.ts'
import { cancellationOf, type RunningCalls } from './running-calls.ts'

interface MessageDeps {
  readonly answers: ClientAnswers
  readonly running: RunningCalls
  readonly mcpSessions: McpSessions
  readonly limits: Limits
  readonly servers: LegacyServers
}

/** Creates the response sink of a request before the request runs; `cancel` stops the request. */
type MakeResponseSink<T extends ResponseSink> = (
  requestId: RequestId,
  cancel: () => void,
) => T | Promise<T>

export type LegacyMessages = ReturnType<typeof createLegacyMessages>

export function createLegacyMessages(deps: MessageDeps) {
  const { answers, running, mcpSessions, limits, servers } = deps

  return {
    /** Answers `initialize`. */
    async initialize(request: JSONRPCRequest): Promise<JSONRPCMessage> {
      // Any audience will do: the response lists no tools, prompts or resources.
      const server = await servers.fresh('anonymous')
      const answer = await ask(server, request)
      await server.close()
      return answer
    },
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
      const release = limits.call(mcpSession.sessionId, requestContextFrom(authInfo).caller)
      try {
        const level = levelIn(request)
        if (level !== undefined) await mcpSessions.update(mcpSession.id, { logLevel: level })
        const audience = audienceOf(authInfo)
        const server =
          level === undefined
            ? await servers.of(audience, mcpSession)
            : await servers.fresh(audience, mcpSession)
        const exchange = createExchange(server, answers, mcpSession.id, request)
        const sink = await makeSink(request.id, () => exchange.cancel('fenced'))
        exchange.onEnd(release)
        exchange.onEnd(() => running.remove(mcpSession.id, exchange))
        running.add(mcpSession.id, request.id, exchange)
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
    async takeIn(message: unknown, mcpSession: McpSessionRecord): Promise<void> {
      if (isAnswer(message)) {
        checkEnvelope(message)
        await answers.answer(mcpSession.id, message)
      } else if (isJSONRPCNotification(message)) {
        await takeNotification(deps, message, mcpSession)
      } else {
        throw notAMessage()
      }
    },
  }
}

/** The level of a `logging/setLevel` request; undefined for other requests. */
function levelIn(request: JSONRPCRequest) {
  if (request.method !== 'logging/setLevel') return undefined
  return isSpecType.SetLevelRequest(request) ? request.params.level : undefined
}

async function takeNotification(
  { running, answers }: MessageDeps,
  notification: JSONRPCNotification,
  mcpSession: McpSessionRecord,
): Promise<void> {
  const { method, params } = notification
  if (method === 'notifications/cancelled') {
    const cancellation = cancellationOf(params)
    if (cancellation !== undefined) await running.cancel(mcpSession, cancellation)
  }
  if (method === 'notifications/progress') await answers.progress(mcpSession.id, notification)
}

/**
 * Returns the message if it is an `initialize` request.
 * @throws AppError `invalid_params` if it is one with invalid parameters
 */
export function asInitialize(
  message: JSONRPCMessage,
): (JSONRPCRequest & InitializeRequest) | undefined {
  if (!isJSONRPCRequest(message) || message.method !== 'initialize') return undefined
  if (isInitializeRequest(message)) return message as JSONRPCRequest & InitializeRequest
  throw new AppError('invalid_params', 'The parameters of initialize are not valid.')
}

type Spoken = Pick<McpSessionRecord, 'initialize' | 'logLevel'>

/** LRU bound: clients choose the keys. Evicted servers still finish their requests. */
const MOST_SERVERS = 64

type LegacyServers = ReturnType<typeof createLegacyServers>

export function createLegacyServers(buildServer: BuildServer) {
  const servers = createRecent<Promise<SharedServer>>(MOST_SERVERS)

  async function fresh(audience: Audience, mcpSession?: Spoken): Promise<SharedServer> {
    const server = await shareServer(buildServer({ audience }), createTransport())
    for (const request of mcpSession ? replays(mcpSession) : []) await ask(server, request)
    return server
  }

  return {
    /** A server that is not shared, for requests that change the server itself. */
    fresh,
    /** The server shared by all MCP sessions with this audience, `initialize` and log level. */
    of(audience: Audience, mcpSession: Spoken): Promise<SharedServer> {
      const key = JSON.stringify([audience, mcpSession.initialize, mcpSession.logLevel])
      const known = servers.get(key)
      if (known !== undefined) return known
      const server = fresh(audience, mcpSession)
      servers.set(key, server)
      return server
    },
  }
}

/** Passes a request to a server and returns the response, which is not sent to a client. */
function ask(server: SharedServer, request: JSONRPCRequest): Promise<JSONRPCResponse> {
  return new Promise((resolve) => {
    server.serve(request, { notify: () => undefined, respond: resolve }, {})
  })
}

/** A no-op transport; `shareServer` attaches the message handlers. */
function createTransport(): Transport {
  const transport: Transport = {
    start: async () => undefined,
    send: async () => undefined,
    close: async () => transport.onclose?.(),
  }
  return transport
}

/** The requests that bring a new server to the state of the MCP session. */
function replays({ initialize, logLevel }: Spoken): JSONRPCRequest[] {
  const requests: JSONRPCRequest[] = []
  const add = (method: string, params: object) =>
    requests.push({ jsonrpc: '2.0', id: method, method, params: { ...params } })
  if (initialize !== null) add('initialize', initialize)
  if (logLevel !== null) add('logging/setLevel', { level: logLevel })
  return requests
}
