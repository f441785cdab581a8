/**
 * The 2025 era on `/mcp`: Streamable HTTP, served by any node (2025-11-25, basic/transports). The
 * response to a POST is JSON, or an event stream if a notification precedes the response.
 */

import {
  isJSONRPCRequest,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type RequestId,
} from '@modelcontextprotocol/server'
import { Timer } from '../../deadlines.ts'
import type { ToolOutcome } from '../../engine/run-tool.ts'
import { AppError } from '../../errors.ts'
import type { StorageBudget } from '../../store/storage-budget.ts'
import { withStatus } from '../handler-errors.ts'
import { JsonAnswer, jsonResponse, type McpAnswer, type McpRequest } from '../mcp-request.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'
import { asAuthInfo, attachOutcome, type RequestContext } from '../request-context.ts'
import type { CallStream, CallStreams } from './call-streams.ts'
import { parseEventId, takesEmptyEvents } from './event-stream.ts'
import type { HeldStreams } from './held-streams.ts'
import { asInitialize, type InitializeMessage, type LegacyServers } from './initialize.ts'
import type { McpSession, McpSessionRecord } from './mcp-session-record.ts'
import type { McpSessions } from './mcp-sessions.ts'
import type { LegacyMessages, ResponseSink } from './messages.ts'
import {
  type FindMcpSession,
  type McpSessionReference,
  type OpenedMcpSessions,
  type PrefetchedMcpSession,
  prefetchMcpSession,
} from './opened-mcp-sessions.ts'
import { type ResumeDeps, resumeCall } from './resume-call.ts'

export interface LegacyDeps extends ResumeDeps {
  readonly node: ClusterNode
  readonly mcpSessions: McpSessions
  readonly openedMcpSessions: OpenedMcpSessions
  readonly findMcpSession: FindMcpSession
  readonly servers: LegacyServers
  readonly messages: LegacyMessages
  readonly callStreams: CallStreams
  readonly heldStreams: HeldStreams
}

export interface LegacyRequest
  extends Pick<McpRequest, 'request' | 'contexts' | 'onClose' | 'disconnect'> {
  /** Added by the HTTP layer. */
  readonly mcpSession?: PrefetchedMcpSession | undefined
}

/** A fast-path tool call of the 2025 era that needs the SDK after its tool has run. */
export interface UnfinishedCall {
  readonly message: JSONRPCRequest
  readonly mcpSession: McpSession
  readonly requestContext: RequestContext
  readonly outcome: Promise<ToolOutcome>
  /** Returns the response sink, which may be a stream already. `cancel` stops the exchange. */
  sinkOf(cancel: () => void): PostResponseSink
}

export type LegacyEndpoint = ReturnType<typeof createLegacyEndpoint>

export function createLegacyEndpoint(deps: LegacyDeps) {
  const { mcpSessions, findMcpSession, messages, callStreams, node } = deps

  return {
    /** Reads an MCP session by its id while the caller is authenticated. */
    prefetch: (id: string): Promise<McpSession | undefined> => prefetchMcpSession(id, mcpSessions),
    /** Creates the response sink of a request whose slot is already acquired. */
    createSink: (exchange: PostExchange): PostResponseSink =>
      createPostResponseSink(callStreams, exchange),
    /** Has the SDK continue a call whose tool has run: it asks the client for input, or failed. */
    async finish({
      message,
      mcpSession,
      requestContext,
      outcome,
      sinkOf,
    }: UnfinishedCall): Promise<McpAnswer> {
      const authInfo = asAuthInfo(requestContext)
      attachOutcome(authInfo, outcome)
      const { response } = await messages.request(message, mcpSession, authInfo, sinkOf)
      return withStatus(await response, authInfo)
    },
    /** `body` is the parsed body. */
    async post(legacy: LegacyRequest, body: unknown): Promise<McpAnswer> {
      const message = body as JSONRPCMessage
      const initialize = asInitialize(message)
      if (initialize !== undefined) return connect(deps, initialize, legacy)
      const isRequest = isJSONRPCRequest(message)
      const mcpSession = await findMcpSession(referenceOf(legacy), isRequest)
      if (isRequest) return serveRequest(deps, message, mcpSession, legacy)
      await messages.receive(body, mcpSession)
      return new Response(null, { status: 202 })
    },
    /** Opens the stream of the MCP session, or resumes an interrupted stream. */
    get: (legacy: LegacyRequest): Promise<Response> => openStream(deps, legacy),
    /** Ends the MCP session on all nodes. */
    async end(legacy: LegacyRequest): Promise<Response> {
      const mcpSession = await findMcpSession(referenceOf(legacy), false)
      // Ends the session first: a retried DELETE must find the MCP session while that is alive.
      await legacy.contexts.disconnect(mcpSession)
      await mcpSessions.end(mcpSession.id)
      await node.broadcastWithRetry({ kind: 'connection_ended', connectionId: mcpSession.id })
      return new Response(null, { status: 204 })
    },
  }
}

async function connect(
  { servers, mcpSessions, openedMcpSessions }: LegacyDeps,
  request: InitializeMessage,
  { contexts }: LegacyRequest,
): Promise<Response> {
  const { answer, initialize } = await servers.initialize(request)
  if (initialize === undefined) return jsonResponse(answer, { status: 400 })
  const { protocolVersion } = initialize
  const clientName = initialize.clientInfo.name
  const { id } = await openedMcpSessions.open(contexts.caller, async () => {
    const owner = await contexts.connect({ clientName, protocolVersion })
    const { storage } = contexts
    return mcpSessions.create({ ...owner, protocolVersion, initialize, storage })
  })
  contexts.log.info({ client: clientName, protocolVersion }, 'connected')
  return jsonResponse(answer, { headers: { 'mcp-session-id': id } })
}

async function serveRequest(
  { messages, callStreams, limits }: LegacyDeps,
  message: JSONRPCRequest,
  mcpSession: McpSession,
  { contexts, onClose, disconnect }: LegacyRequest,
): Promise<McpAnswer> {
  const { storage } = contexts
  const authInfo = asAuthInfo(contexts.mcpSession(mcpSession))
  const { response } = await messages.request(message, mcpSession, authInfo, (fenced) => {
    const releaseSlot = limits.answer(mcpSession.sessionId, contexts.caller)
    const release = () => onClose(releaseSlot)
    const exchange = { mcpSession, requestId: message.id, storage, fenced, disconnect, release }
    return createPostResponseSink(callStreams, exchange)
  })
  return withStatus(await response, authInfo)
}

async function openStream(deps: LegacyDeps, legacy: LegacyRequest): Promise<Response> {
  const { request, contexts, onClose, disconnect } = legacy
  if (!/text\/event-stream|\*\/\*/i.test(request.headers.get('accept') ?? '*/*')) {
    throw new AppError('not_acceptable', 'Accept text/event-stream.')
  }
  const mcpSession = await deps.findMcpSession(referenceOf(legacy), false)
  // Some clients send the header empty before they have an id.
  const last = request.headers.get('last-event-id') ?? ''
  const from = last === '' ? undefined : parseEventId(last)
  if (last !== '' && from === undefined) {
    throw new AppError('invalid_request', 'Last-Event-ID is invalid.')
  }
  if (from?.kind === 'call') return resumeCall(deps, mcpSession, from, legacy)
  const { tokenSession: owner, caller: address } = contexts
  const options = { owner, address, onClose, disconnect }
  const { response } = await deps.heldStreams.attach(mcpSession, from, options)
  return response
}

function referenceOf({
  request: { headers },
  contexts,
  mcpSession: prefetched,
}: LegacyRequest): McpSessionReference {
  return {
    version: headers.get('mcp-protocol-version') || undefined,
    id: headers.get('mcp-session-id') ?? undefined,
    owner: contexts.tokenSession,
    prefetched,
  }
}

/** A slower response becomes an event stream, so that the client can resume it. */
export const STREAM_AFTER_MS = 300

export interface PostResponseSink extends ResponseSink {
  readonly response: Promise<McpAnswer>
  /** Switches to an event stream. Idempotent. */
  open(): void
}

/** The exchange that the sink belongs to. */
export interface PostExchange {
  readonly mcpSession: McpSessionRecord
  readonly requestId: RequestId
  readonly storage: StorageBudget
  /** Called if another node has declared this call dead and answered the client. */
  fenced(): void
  /** Closes the connection of a client that does not read. */
  disconnect(): void
  /** Called after the last message: releases the slot once the response is sent or cut off. */
  release(): void
}

export function createPostResponseSink(
  callStreams: CallStreams,
  { mcpSession, requestId, storage, fenced, disconnect, release }: PostExchange,
): PostResponseSink {
  let stream: CallStream | undefined
  let respond!: (answer: McpAnswer) => void
  const response = new Promise<McpAnswer>((resolve) => {
    respond = resolve
  })
  const deadline = new Timer(STREAM_AFTER_MS, openStream)

  function openStream(): CallStream {
    if (stream === undefined) {
      deadline.clear()
      stream = callStreams.open(mcpSession, requestId, fenced, storage, disconnect)
      stream.events.onClose(release)
      respond(stream.events.response)
    }
    return stream
  }

  return {
    response,
    open: () => void openStream(),
    notify: (message) => openStream().write(message),
    respond(message) {
      deadline.clear()
      if (stream === undefined) {
        respond(answerOf(message))
        release()
      }
      stream?.end({ end: 'answered', message })
    },
    // Not for clients of older revisions: they treat a closed stream as a lost response.
    closeStream: takesEmptyEvents(mcpSession.protocolVersion)
      ? () => void openStream().closeStream()
      : undefined,
    discard: () => openStream().end({ end: 'cancelled' }),
  }
}

/** Errors become a `Response`, whose status can still change; a `JsonAnswer` has none. */
function answerOf(message: JSONRPCMessage): McpAnswer {
  return 'result' in message ? new JsonAnswer(message) : jsonResponse(message)
}
