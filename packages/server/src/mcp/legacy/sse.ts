/**
 * `/sse` and `/messages`: the older transport (2024-11-05, basic/transports, "HTTP with SSE"). A
 * message runs on the node that gets it; what it says goes to the stream, wherever that is held.
 */

import { isJSONRPCRequest, type JSONRPCMessage } from '@modelcontextprotocol/server'
import { createId } from '../../crypto/random-id.ts'
import { AppError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import type { Store } from '../../store/port.ts'
import { jsonBytes, STREAM_OVERHEAD } from '../../store/storage-budget.ts'
import type { Streams } from '../../store/streams.ts'
import type { Node } from '../nodes/node.ts'
import { originAsAuthInfo, type RequestOrigins } from '../origin.ts'
import { createCallWatch } from './call-watch.ts'
import {
  type Connection,
  type ConnectionRecord,
  type Connections,
  connectionEnded,
} from './connection.ts'
import { essentials } from './essentials.ts'
import { parseEventId } from './event-id.ts'
import type { HeldStreams } from './held-streams.ts'
import { asInitialize, type LegacyMessages } from './messages.ts'
import type { OpenedConnections } from './opened-connections.ts'
import { createSendToConnection, type SendToConnection } from './own-stream.ts'
import { createSseCalls } from './sse-calls.ts'
import type { StreamNews } from './stream-news.ts'

export interface SseDeps {
  readonly node: Node
  readonly store: Store
  readonly streams: Streams
  readonly connections: Connections
  readonly messages: LegacyMessages
  readonly held: HeldStreams
  readonly opened: OpenedConnections
  readonly news: StreamNews
  readonly log: Logger
  /** The path that the server is below, or empty. */
  readonly basePath: string
}

export interface SseEndpoint {
  /** A new session without an id; with one, or with the id of an event of one, a live session goes on. */
  open(
    sessionId: string | undefined,
    lastEventId: string | undefined,
    origins: RequestOrigins,
  ): Promise<Response>
  post(sessionId: string | undefined, body: unknown, origins: RequestOrigins): Promise<Response>
}

export function createSseEndpoint(deps: SseDeps): SseEndpoint {
  const { connections, messages, held, opened } = deps
  const send = createSendToConnection(deps)
  const calls = createSseCalls({ ...deps, send })

  async function find(
    sessionId: string | undefined,
    origins: RequestOrigins,
    isRequest = false,
  ): Promise<Connection> {
    if (sessionId === undefined) throw new AppError('invalid_request', 'session_id is missing.')
    if (!sessionId.startsWith('ses_')) throw connectionEnded()
    const found = await connections.peek(sessionId)
    const connection = await connections.use(found, origins.tokenSession, isRequest)
    if (isRequest || connection.needsToken) opened.used(sessionId)
    return connection
  }

  function start(origins: RequestOrigins): Promise<ConnectionRecord> {
    return opened.open(origins.caller, async () => {
      const owner = await origins.connect({})
      // One token may have several streams; without one, the session is the stream's alone.
      const id = owner.needsToken ? createId('ses') : owner.sessionId
      return connections.create({ id, ...owner, storage: origins.storage })
    })
  }

  return {
    async open(given, lastEventId, origins) {
      const last = splitEventId(lastEventId)
      const known = given ?? last.sessionId
      const connection = known === undefined ? await start(origins) : await find(known, origins)
      const data = `${deps.basePath}/messages?session_id=${connection.id}`
      const greeting = { event: 'endpoint', data, idPrefix: `${connection.id}.` }
      const watch = createCallWatch({ ...deps, send })
      const events = await held.attach(connection, last.from, {
        owner: origins.tokenSession,
        address: origins.caller,
        greeting,
        onConnection: watch.see,
      })
      events.onClose(watch.stop)
      return events.response
    },
    async post(sessionId, body, origins) {
      const message = body as JSONRPCMessage
      const opening = asInitialize(message)
      const isRequest = opening === undefined && isJSONRPCRequest(message)
      const connection = await find(sessionId, origins, isRequest)
      if (opening !== undefined) {
        await initialize({ ...deps, send }, opening, connection, origins)
      } else if (isRequest) {
        // Its answer is the first entry of the session's stream.
        if (connection.initialize === null) await origins.storage.spend(STREAM_OVERHEAD)
        const authInfo = originAsAuthInfo(origins.connection(connection))
        await messages.request(message, connection, authInfo, (requestId, cancel) =>
          calls.begin(connection.id, requestId, cancel, origins.storage),
        )
      } else {
        await messages.takeIn(body, connection)
      }
      return new Response('Accepted', { status: 202 })
    },
  }
}

async function initialize(
  { messages, connections, send }: SseDeps & { readonly send: SendToConnection },
  request: NonNullable<ReturnType<typeof asInitialize>>,
  { id }: Connection,
  { storage }: RequestOrigins,
): Promise<void> {
  const answer = await messages.initialize(request)
  if ('result' in answer) {
    const { protocolVersion } = answer.result as { protocolVersion: string }
    const initialize = essentials(request.params, protocolVersion)
    await storage.spend(jsonBytes(initialize) + STREAM_OVERHEAD)
    await connections.update(id, { initialize, protocolVersion })
  }
  await send(id, answer, undefined, storage)
}

/** Clients that come back by themselves ask for the address they started from, and name an event. */
function splitEventId(id: string | undefined) {
  const [, sessionId, rest = ''] = /^(ses_[\w-]+)\.(.+)$/.exec(id ?? '') ?? []
  const from = parseEventId(rest)
  return { sessionId, from: from?.kind === 'stream' ? from : undefined }
}
