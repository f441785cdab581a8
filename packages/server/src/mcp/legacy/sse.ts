/**
 * `/sse` and `/messages`: the older transport (2024-11-05, basic/transports, "HTTP with SSE"). A
 * request runs on the node that receives it; its messages go to the stream, on any node.
 */

import {
  isJSONRPCRequest,
  type JSONRPCMessage,
  type JSONRPCRequest,
} from '@modelcontextprotocol/server'
import { createId } from '../../crypto/random-id.ts'
import { AppError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import type { Store } from '../../store/port.ts'
import { jsonBytes, STREAM_OVERHEAD } from '../../store/storage-budget.ts'
import type { Streams } from '../../store/streams.ts'
import type { McpRequest } from '../mcp-request.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'
import { asAuthInfo, type RequestContexts } from '../request-context.ts'
import { parseEventId, type StreamNotifier } from './event-stream.ts'
import type { HeldStreams } from './held-streams.ts'
import { asInitialize, type InitializeMessage, type LegacyServers } from './initialize.ts'
import { type McpSession, type McpSessionRecord, mcpSessionEnded } from './mcp-session-record.ts'
import type { McpSessions } from './mcp-sessions.ts'
import type { LegacyMessages } from './messages.ts'
import type { OpenedMcpSessions } from './opened-mcp-sessions.ts'
import {
  createCallWatch,
  createSendToMcpSession,
  createSseCalls,
  type SendToMcpSession,
  type SseCalls,
} from './sse-calls.ts'

export interface SseDeps {
  readonly node: ClusterNode
  readonly store: Store
  readonly streams: Streams
  readonly mcpSessions: McpSessions
  readonly openedMcpSessions: OpenedMcpSessions
  readonly servers: LegacyServers
  readonly messages: LegacyMessages
  readonly heldStreams: HeldStreams
  readonly notifier: StreamNotifier
  readonly log: Logger
  /** Path prefix of the server, or empty. */
  readonly basePath: string
}

export type SseEndpoint = ReturnType<typeof createSseEndpoint>

export function createSseEndpoint(deps: SseDeps) {
  const { node, store, mcpSessions, messages, heldStreams, notifier, log } = deps
  const send = createSendToMcpSession(deps)
  const calls = createSseCalls({ node, store, mcpSessions, heldStreams, send, log })

  return {
    /** Opens a new session, or resumes a live one by its id or by an event id (`Last-Event-ID`). */
    async open(
      sessionId: string | undefined,
      lastEventId: string | undefined,
      { contexts, ...connection }: Pick<McpRequest, 'contexts' | 'onClose' | 'disconnect'>,
    ): Promise<Response> {
      const last = splitEventId(lastEventId)
      const known = sessionId ?? last.sessionId
      const mcpSession = await openMcpSession(deps, known, contexts)
      const url = `${deps.basePath}/messages?session_id=${mcpSession.id}`
      const watch = createCallWatch({ node, mcpSessions, notifier, send, log })
      const attaching = heldStreams.attach(mcpSession, last.from, {
        ...connection,
        owner: contexts.tokenSession,
        isBusy: () => hasCalls(mcpSessions, mcpSession.id),
        address: contexts.caller,
        endpoint: { url, idPrefix: `${mcpSession.id}.` },
        onMcpSession: watch.check,
      })
      if (known === undefined) attaching.catch(() => discard(deps, mcpSession.id))
      const events = await attaching
      events.onClose(watch.stop)
      return events.response
    },
    async post(
      sessionId: string | undefined,
      body: unknown,
      contexts: RequestContexts,
    ): Promise<Response> {
      const message = body as JSONRPCMessage
      const initializing = asInitialize(message)
      const isRequest = initializing === undefined && isJSONRPCRequest(message)
      const mcpSession = await findMcpSession(deps, sessionId, contexts, isRequest)
      if (initializing !== undefined) {
        await initialize(deps, send, initializing, mcpSession, contexts)
      } else if (isRequest) {
        await serveRequest(deps, calls, message, mcpSession, contexts)
      } else {
        await messages.receive(body, mcpSession)
      }
      return new Response('Accepted', { status: 202 })
    },
  }
}

/** The MCP session of a stream: the live one that the client names, or a new one. */
async function openMcpSession(
  deps: SseDeps,
  sessionId: string | undefined,
  contexts: RequestContexts,
): Promise<McpSessionRecord> {
  if (sessionId !== undefined) return findMcpSession(deps, sessionId, contexts)
  const { mcpSessions, openedMcpSessions } = deps
  return openedMcpSessions.open(contexts.caller, async () => {
    const owner = await contexts.connect({})
    // A token may have several streams; without a token, each stream has a session of its own.
    const id = owner.needsToken ? createId('ses') : owner.sessionId
    return mcpSessions.create({ id, ...owner, storage: contexts.storage })
  })
}

/** Ends an MCP session whose stream was refused: its client does not know it. */
function discard({ openedMcpSessions, mcpSessions, log }: SseDeps, id: string): void {
  openedMcpSessions.forget(id)
  mcpSessions.end(id).catch((error: unknown) => log.debug({ err: error }, 'not discarded'))
}

async function findMcpSession(
  { mcpSessions, openedMcpSessions }: SseDeps,
  sessionId: string | undefined,
  contexts: RequestContexts,
  isRequest = false,
): Promise<McpSession> {
  if (sessionId === undefined) throw new AppError('invalid_request', 'session_id is missing.')
  if (!sessionId.startsWith('ses_')) throw mcpSessionEnded()
  const found = await mcpSessions.peek(sessionId)
  const mcpSession = await mcpSessions.use(found, contexts.tokenSession, isRequest)
  if (isRequest || mcpSession.needsToken) openedMcpSessions.used(sessionId)
  return mcpSession
}

async function hasCalls(mcpSessions: McpSessions, id: string): Promise<boolean> {
  const { calls = {} } = (await mcpSessions.peek(id)) ?? {}
  return Object.keys(calls).length > 0
}

async function initialize(
  { servers, mcpSessions }: SseDeps,
  send: SendToMcpSession,
  request: InitializeMessage,
  { id }: McpSession,
  { storage }: RequestContexts,
): Promise<void> {
  const { answer, initialize } = await servers.initialize(request)
  if (initialize !== undefined) {
    await storage.spend(jsonBytes(initialize) + STREAM_OVERHEAD)
    await mcpSessions.update(id, { initialize, protocolVersion: initialize.protocolVersion })
  }
  await send(id, answer, undefined, storage)
}

async function serveRequest(
  { messages }: SseDeps,
  calls: SseCalls,
  message: JSONRPCRequest,
  mcpSession: McpSession,
  contexts: RequestContexts,
): Promise<void> {
  const { storage } = contexts
  // Charges the stream: the response will be its first entry.
  if (mcpSession.initialize === null) await storage.spend(STREAM_OVERHEAD)
  const authInfo = asAuthInfo(contexts.mcpSession(mcpSession))
  await messages.request(message, mcpSession, authInfo, (cancel) =>
    calls.begin(mcpSession.id, message.id, cancel, storage),
  )
}

/** Clients that reconnect automatically request the original URL, with a `Last-Event-ID`. */
function splitEventId(id: string | undefined) {
  const [, sessionId, rest = ''] = /^(ses_[\w-]+)\.(.+)$/.exec(id ?? '') ?? []
  const from = parseEventId(rest)
  return { sessionId, from: from?.kind === 'stream' ? from : undefined }
}
