/** The 2025 era on `/mcp`: Streamable HTTP, served by any node (2025-11-25, basic/transports). */

import {
  isJSONRPCRequest,
  type JSONRPCMessage,
  type JSONRPCRequest,
} from '@modelcontextprotocol/server'
import type { ToolOutcome } from '../../engine/run-tool.ts'
import { AppError } from '../../errors.ts'
import { withStatus } from '../handler-errors.ts'
import { jsonResponse, type McpAnswer, type McpRequest } from '../mcp-request.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'
import { asAuthInfo, attachOutcome, type RequestContext } from '../request-context.ts'
import type { CallStreams } from './call-streams.ts'
import { parseEventId } from './event-stream.ts'
import type { HeldStreams } from './held-streams.ts'
import type { McpSessions } from './mcp-session.ts'
import { essentials, type McpSession } from './mcp-session-record.ts'
import { asInitialize, type LegacyMessages } from './messages.ts'
import {
  findMcpSession,
  type LookedUp,
  lookUp,
  type NamedMcpSession,
  type OpenedMcpSessions,
} from './opened-mcp-sessions.ts'
import {
  createPostResponseSink,
  type PostExchange,
  type PostResponseSink,
} from './response-sink.ts'
import { type ResumeDeps, resumeCall } from './resume-call.ts'

export interface LegacyDeps extends ResumeDeps {
  readonly node: ClusterNode
  readonly mcpSessions: McpSessions
  readonly messages: LegacyMessages
  readonly calls: CallStreams
  readonly held: HeldStreams
  readonly opened: OpenedMcpSessions
}

export interface LegacyRequest extends Pick<McpRequest, 'request' | 'contexts'> {
  /** Prefetched record, which the HTTP layer adds to the request; ownership not verified yet. */
  readonly mcpSession?: LookedUp | undefined
}

/** A fast-path tool call of the 2025 era that needs the SDK after its tool has run. */
export interface RunCall {
  readonly message: JSONRPCRequest
  readonly mcpSession: McpSession
  readonly requestContext: RequestContext
  readonly outcome: Promise<ToolOutcome>
  /** Returns the response sink, which may be a stream already. `cancel` stops the exchange. */
  sinkOf(cancel: () => void): PostResponseSink
}

export type LegacyEndpoint = ReturnType<typeof createLegacyEndpoint>

export function createLegacyEndpoint(deps: LegacyDeps) {
  const { mcpSessions, messages, calls, held, node } = deps

  return {
    /** Prefetches an MCP session by its id while the caller is authenticated. */
    lookUp: (id: string): Promise<McpSession | undefined> => lookUp(id, mcpSessions),
    /**
     * Finds the MCP session that a request names, and counts the request as use.
     * @throws AppError `invalid_request`, `not_found`
     */
    find: (request: NamedMcpSession): McpSession | Promise<McpSession> =>
      findMcpSession(request, deps, true),
    /** Creates the response sink of a request whose slot is already acquired. */
    createSink: (exchange: PostExchange): PostResponseSink =>
      createPostResponseSink(calls, exchange),
    /** Has the SDK continue a call whose tool has run: it asks the client for input, or failed. */
    async finish({
      message,
      mcpSession,
      requestContext,
      outcome,
      sinkOf,
    }: RunCall): Promise<McpAnswer> {
      const authInfo = asAuthInfo(requestContext)
      attachOutcome(authInfo, outcome)
      const { response } = await messages.request(message, mcpSession, authInfo, (_id, cancel) =>
        sinkOf(cancel),
      )
      return withStatus(await response, authInfo)
    },
    /** `body` is the parsed body. */
    async post(legacy: LegacyRequest, body: unknown): Promise<McpAnswer> {
      const message = body as JSONRPCMessage
      const initialize = asInitialize(message)
      if (initialize !== undefined) return connect(deps, initialize, legacy)
      const isRequest = isJSONRPCRequest(message)
      const mcpSession = await findMcpSession(named(legacy), deps, isRequest)
      if (isRequest) return serveRequest(deps, message, mcpSession, legacy)
      await messages.takeIn(body, mcpSession)
      return new Response(null, { status: 202 })
    },
    /** Opens the stream of the MCP session, or resumes an interrupted stream. */
    async get(legacy: LegacyRequest): Promise<Response> {
      const { request, contexts } = legacy
      if (!/text\/event-stream|\*\/\*/i.test(request.headers.get('accept') ?? '')) {
        throw new AppError('not_acceptable', 'Accept text/event-stream.')
      }
      const mcpSession = await findMcpSession(named(legacy), deps)
      const last = request.headers.get('last-event-id')
      const from = last === null ? undefined : parseEventId(last)
      if (last !== null && from === undefined) {
        throw new AppError('invalid_request', 'Last-Event-ID is not one of ours.')
      }
      if (from?.kind === 'call') return resumeCall(deps, mcpSession, from, contexts)
      const { tokenSession: owner, caller: address } = contexts
      const { response } = await held.attach(mcpSession, from, { owner, address })
      return response
    },
    /** Ends the MCP session on all nodes. */
    async end(legacy: LegacyRequest): Promise<Response> {
      const mcpSession = await findMcpSession(named(legacy), deps)
      // Ends the session first: a retried DELETE must find the MCP session while that is alive.
      await legacy.contexts.disconnect(mcpSession)
      await mcpSessions.end(mcpSession.id)
      await node.broadcastWithRetry({ kind: 'connection_ended', connectionId: mcpSession.id })
      return new Response(null, { status: 204 })
    },
  }
}

async function connect(
  { messages, mcpSessions, opened }: LegacyDeps,
  request: NonNullable<ReturnType<typeof asInitialize>>,
  { contexts }: LegacyRequest,
): Promise<Response> {
  const answer = await messages.initialize(request)
  if (!('result' in answer)) return jsonResponse(answer, { status: 400 })
  const { protocolVersion } = answer.result as { protocolVersion: string }
  const initialize = essentials(request.params, protocolVersion)
  const clientName = initialize.clientInfo.name
  const { id } = await opened.open(contexts.caller, async () => {
    const owner = await contexts.connect({ clientName, protocolVersion })
    const { storage } = contexts
    return mcpSessions.create({ ...owner, protocolVersion, initialize, storage })
  })
  contexts.log.info({ client: clientName, protocolVersion }, 'connected')
  return jsonResponse(answer, { headers: { 'mcp-session-id': id } })
}

async function serveRequest(
  { messages, calls, limits }: LegacyDeps,
  message: JSONRPCRequest,
  mcpSession: McpSession,
  { contexts }: LegacyRequest,
): Promise<McpAnswer> {
  const authInfo = asAuthInfo(contexts.mcpSession(mcpSession))
  const { response } = await messages.request(message, mcpSession, authInfo, (id, fenced) => {
    const release = limits.answer(mcpSession.sessionId, contexts.caller)
    const { storage } = contexts
    return createPostResponseSink(calls, { mcpSession, requestId: id, storage, fenced, release })
  })
  return withStatus(await response, authInfo)
}

function named({ request: { headers }, contexts, mcpSession: ahead }: LegacyRequest) {
  return {
    version: headers.get('mcp-protocol-version') ?? undefined,
    id: headers.get('mcp-session-id') ?? undefined,
    owner: contexts.tokenSession,
    ahead,
  }
}
