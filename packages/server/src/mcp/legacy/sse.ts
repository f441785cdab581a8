/**
 * `/sse` and `/messages`: the older transport (2024-11-05, basic/transports, "HTTP with SSE"). A
 * request runs on the node that receives it; its messages go to the stream, on any node.
 */

import { isJSONRPCRequest, type JSONRPCMessage } from '@modelcontextprotocol/server'
import { createId } from '../../crypto/random-id.ts'
import { AppError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import type { Store } from '../../store/port.ts'
import { jsonBytes, STREAM_OVERHEAD } from '../../store/storage-budget.ts'
import type { Streams } from '../../store/streams.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'
import { asAuthInfo, type RequestContexts } from '../request-context.ts'
import { parseEventId, type StreamNotifier } from './event-stream.ts'
import type { HeldStreams } from './held-streams.ts'
import type { McpSessions } from './mcp-session.ts'
import {
  essentials,
  type McpSession,
  type McpSessionRecord,
  mcpSessionEnded,
} from './mcp-session-record.ts'
import { asInitialize, type LegacyMessages } from './messages.ts'
import type { OpenedMcpSessions } from './opened-mcp-sessions.ts'
import {
  createCallWatch,
  createSendToMcpSession,
  createSseCalls,
  type SendToMcpSession,
} from './sse-calls.ts'

export interface SseDeps {
  readonly node: ClusterNode
  readonly store: Store
  readonly streams: Streams
  readonly mcpSessions: McpSessions
  readonly messages: LegacyMessages
  readonly held: HeldStreams
  readonly opened: OpenedMcpSessions
  readonly notifier: StreamNotifier
  readonly log: Logger
  /** Path prefix of the server, or empty. */
  readonly basePath: string
}

export interface SseEndpoint {
  /** Opens a new session, or resumes a live one by its id or by an event id (`Last-Event-ID`). */
  open(
    sessionId: string | undefined,
    lastEventId: string | undefined,
    contexts: RequestContexts,
  ): Promise<Response>
  post(sessionId: string | undefined, body: unknown, contexts: RequestContexts): Promise<Response>
}

export function createSseEndpoint(deps: SseDeps): SseEndpoint {
  const { mcpSessions, messages, held, opened } = deps
  const send = createSendToMcpSession(deps)
  const calls = createSseCalls({ ...deps, send })

  async function find(
    sessionId: string | undefined,
    contexts: RequestContexts,
    isRequest = false,
  ): Promise<McpSession> {
    if (sessionId === undefined) throw new AppError('invalid_request', 'session_id is missing.')
    if (!sessionId.startsWith('ses_')) throw mcpSessionEnded()
    const found = await mcpSessions.peek(sessionId)
    const mcpSession = await mcpSessions.use(found, contexts.tokenSession, isRequest)
    if (isRequest || mcpSession.needsToken) opened.used(sessionId)
    return mcpSession
  }

  function start(contexts: RequestContexts): Promise<McpSessionRecord> {
    return opened.open(contexts.caller, async () => {
      const owner = await contexts.connect({})
      // A token may have several streams; without a token, each stream has a session of its own.
      const id = owner.needsToken ? createId('ses') : owner.sessionId
      return mcpSessions.create({ id, ...owner, storage: contexts.storage })
    })
  }

  return {
    async open(given, lastEventId, contexts) {
      const last = splitEventId(lastEventId)
      const known = given ?? last.sessionId
      const mcpSession = known === undefined ? await start(contexts) : await find(known, contexts)
      const data = `${deps.basePath}/messages?session_id=${mcpSession.id}`
      const greeting = { event: 'endpoint', data, idPrefix: `${mcpSession.id}.` }
      const watch = createCallWatch({ ...deps, send })
      const events = await held.attach(mcpSession, last.from, {
        owner: contexts.tokenSession,
        address: contexts.caller,
        greeting,
        onMcpSession: watch.see,
      })
      events.onClose(watch.stop)
      return events.response
    },
    async post(sessionId, body, contexts) {
      const message = body as JSONRPCMessage
      const opening = asInitialize(message)
      const isRequest = opening === undefined && isJSONRPCRequest(message)
      const mcpSession = await find(sessionId, contexts, isRequest)
      if (opening !== undefined) {
        await initialize({ ...deps, send }, opening, mcpSession, contexts)
      } else if (isRequest) {
        // Charges the stream: the response will be its first entry.
        if (mcpSession.initialize === null) await contexts.storage.spend(STREAM_OVERHEAD)
        const authInfo = asAuthInfo(contexts.mcpSession(mcpSession))
        await messages.request(message, mcpSession, authInfo, (requestId, cancel) =>
          calls.begin(mcpSession.id, requestId, cancel, contexts.storage),
        )
      } else {
        await messages.takeIn(body, mcpSession)
      }
      return new Response('Accepted', { status: 202 })
    },
  }
}

async function initialize(
  { messages, mcpSessions, send }: SseDeps & { readonly send: SendToMcpSession },
  request: NonNullable<ReturnType<typeof asInitialize>>,
  { id }: McpSession,
  { storage }: RequestContexts,
): Promise<void> {
  const answer = await messages.initialize(request)
  if ('result' in answer) {
    const { protocolVersion } = answer.result as { protocolVersion: string }
    const initialize = essentials(request.params, protocolVersion)
    await storage.spend(jsonBytes(initialize) + STREAM_OVERHEAD)
    await mcpSessions.update(id, { initialize, protocolVersion })
  }
  await send(id, answer, undefined, storage)
}

/** Clients that reconnect automatically request the original URL, with a `Last-Event-ID`. */
function splitEventId(id: string | undefined) {
  const [, sessionId, rest = ''] = /^(ses_[\w-]+)\.(.+)$/.exec(id ?? '') ?? []
  const from = parseEventId(rest)
  return { sessionId, from: from?.kind === 'stream' ? from : undefined }
}
