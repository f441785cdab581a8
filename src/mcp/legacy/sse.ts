/**
 * `/sse` and `/messages`: the older transport (2024-11-05, basic/transports, "HTTP with SSE"). A
 * message runs on the node that gets it; what it says goes to the stream, wherever that is held.
 */

import { isJSONRPCRequest, type JSONRPCMessage } from '@modelcontextprotocol/server'
import { createId } from '../../crypto/random-id.ts'
import { AppError } from '../../errors.ts'
import { originAsAuthInfo, type RequestOrigins } from '../origin.ts'
import { type Connection, type Connections, essentials, ownConnection } from './connection.ts'
import { parseEventId } from './event-id.ts'
import type { HeldStreams } from './held-streams.ts'
import { asInitialize, type LegacyMessages } from './messages.ts'
import type { Outlet } from './outlet.ts'
import type { SendToConnection } from './own-stream.ts'

export interface SseDeps {
  readonly connections: Connections
  readonly messages: LegacyMessages
  readonly held: HeldStreams
  readonly send: SendToConnection
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
  const { connections, messages, held, send } = deps

  async function find(sessionId: string | undefined, origins: RequestOrigins): Promise<Connection> {
    if (sessionId === undefined) throw new AppError('invalid_request', 'session_id is missing.')
    const connection = sessionId.startsWith('ses_')
      ? await connections.retrieve(sessionId)
      : undefined
    return ownConnection(connection, origins.tokenSession)
  }

  async function start(origins: RequestOrigins): Promise<string> {
    const owner = await origins.connect({})
    // One token may have several streams; without one, the session is the stream's alone.
    const id = owner.needsToken ? createId('ses') : owner.sessionId
    await connections.create({ id, ...owner })
    return id
  }

  async function initialize(
    request: NonNullable<ReturnType<typeof asInitialize>>,
    { id }: Connection,
  ): Promise<void> {
    const answer = await messages.initialize(request)
    if ('result' in answer) {
      const { protocolVersion } = answer.result as { protocolVersion: string }
      await connections.update(id, {
        initialize: essentials(request.params, protocolVersion),
        protocolVersion,
      })
    }
    await send(id, answer)
  }

  return {
    async open(given, lastEventId, origins) {
      const last = splitEventId(lastEventId)
      const known = given ?? last.sessionId
      const id = known === undefined ? await start(origins) : (await find(known, origins)).id
      const data = `/messages?session_id=${id}`
      const greeting = { event: 'endpoint', data, idPrefix: `${id}.` }
      const { response } = await held.attach(id, last.from, origins.tokenSession, greeting)
      return response
    },
    async post(sessionId, body, origins) {
      const message = body as JSONRPCMessage
      const connection = await find(sessionId, origins)
      const opening = asInitialize(message)
      if (opening !== undefined) {
        await initialize(opening, connection)
      } else if (isJSONRPCRequest(message)) {
        const authInfo = originAsAuthInfo(origins.connection(connection))
        await messages.request(message, connection, authInfo, () => sseOutlet(send, connection.id))
      } else {
        await messages.takeIn(message, connection)
      }
      return new Response('Accepted', { status: 202 })
    },
  }
}

/** Clients that come back by themselves ask for the address they started from, and name an event. */
function splitEventId(id: string | undefined) {
  const [, sessionId, rest = ''] = /^(ses_[\w-]+)\.(.+)$/.exec(id ?? '') ?? []
  const from = parseEventId(rest)
  return { sessionId, from: from?.kind === 'stream' ? from : undefined }
}

/** One message after the other, so that an answer never overtakes what came before it. */
function sseOutlet(send: SendToConnection, connectionId: string): Outlet {
  let sending = Promise.resolve()
  const queue = (message: JSONRPCMessage) => {
    sending = sending.then(() => send(connectionId, message)).catch(() => undefined)
  }
  return { tell: queue, answer: queue, drop: () => undefined }
}
