/** The 2025 era on `/mcp`: Streamable HTTP with connections that any node serves (2025-11-25, basic/transports). */

import {
  isJSONRPCRequest,
  type JSONRPCMessage,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/server'
import { AppError } from '../../errors.ts'
import { nextTurn } from '../../store/next-turn.ts'
import { jsonResponse, type McpAnswer } from '../answer.ts'
import { withStatus } from '../handler-errors.ts'
import type { Node } from '../nodes/node.ts'
import { originAsAuthInfo } from '../origin.ts'
import type { McpRequest } from '../request.ts'
import type { CallStreams } from './call-streams.ts'
import type { Connection, Connections } from './connection.ts'
import { essentials } from './essentials.ts'
import { parseEventId } from './event-id.ts'
import type { HeldStreams } from './held-streams.ts'
import { asInitialize, type LegacyMessages } from './messages.ts'
import type { OpenedConnections } from './opened-connections.ts'
import { createPostOutlet } from './post-outlet.ts'
import { type ResumeDeps, resumeCall } from './resume-call.ts'

export interface LegacyDeps extends ResumeDeps {
  readonly node: Node
  readonly connections: Connections
  readonly messages: LegacyMessages
  readonly calls: CallStreams
  readonly held: HeldStreams
  readonly opened: OpenedConnections
}

export type LegacyRequest = Pick<McpRequest, 'request' | 'origins' | 'connection'>

export interface LegacyEndpoint {
  /** Looks a connection up by its id, for whoever calls: that is found out meanwhile. */
  lookUp(id: string): Promise<Connection | undefined>
  /** `body` is what was posted, parsed. */
  post(request: LegacyRequest, body: unknown): Promise<McpAnswer>
  /** Opens the connection's stream, or goes on with one that broke off. */
  get(request: LegacyRequest): Promise<Response>
  /** Ends the connection for all nodes. */
  end(request: LegacyRequest): Promise<Response>
}

export function createLegacyEndpoint(deps: LegacyDeps): LegacyEndpoint {
  const { connections, messages, held, node, opened } = deps

  async function connect(
    request: NonNullable<ReturnType<typeof asInitialize>>,
    { origins }: LegacyRequest,
  ): Promise<Response> {
    const answer = await messages.initialize(request)
    if (!('result' in answer)) return jsonResponse(answer, { status: 400 })
    const { protocolVersion } = answer.result as { protocolVersion: string }
    const initialize = essentials(request.params, protocolVersion)
    const clientName = initialize.clientInfo.name
    const { id } = await opened.open(origins.caller, async () => {
      const owner = await origins.connect({ clientName, protocolVersion })
      const { storage } = origins
      return connections.create({ ...owner, protocolVersion, initialize, storage })
    })
    origins.log.info({ client: clientName, protocolVersion }, 'connected')
    return jsonResponse(answer, { headers: { 'mcp-session-id': id } })
  }

  return {
    lookUp: (id) => lookUp(id, connections),
    async post(legacy, body) {
      const message = body as JSONRPCMessage
      const initialize = asInitialize(message)
      if (initialize !== undefined) return connect(initialize, legacy)
      const isRequest = isJSONRPCRequest(message)
      const connection = await findConnection(legacy, deps, isRequest)
      await nextTurn()
      if (isRequest) {
        const authInfo = originAsAuthInfo(legacy.origins.connection(connection))
        const { response } = await messages.request(message, connection, authInfo, (id, cancel) =>
          createPostOutlet(deps, connection, id, cancel, legacy.origins),
        )
        return withStatus(await response, authInfo)
      }
      await messages.takeIn(body, connection)
      return new Response(null, { status: 202 })
    },
    async get(legacy) {
      const { request, origins } = legacy
      if (!/text\/event-stream|\*\/\*/i.test(request.headers.get('accept') ?? '')) {
        throw new AppError('not_acceptable', 'Accept text/event-stream.')
      }
      const connection = await findConnection(legacy, deps)
      const last = request.headers.get('last-event-id')
      const from = last === null ? undefined : parseEventId(last)
      if (last !== null && from === undefined) {
        throw new AppError('invalid_request', 'Last-Event-ID is not one of ours.')
      }
      if (from?.kind === 'call') return resumeCall(deps, connection, from, origins)
      const { tokenSession: owner, caller: address } = origins
      const { response } = await held.attach(connection, from, { owner, address })
      return response
    },
    async end(legacy) {
      const connection = await findConnection(legacy, deps)
      // The session first: whoever asks again must find the connection for as long as that is alive.
      await legacy.origins.disconnect(connection)
      await connections.end(connection.id)
      await node.announce({ kind: 'connection_ended', connectionId: connection.id })
      return new Response(null, { status: 204 })
    },
  }
}

async function lookUp(id: string, { peek }: Connections): Promise<Connection | undefined> {
  return id.startsWith('con_') ? peek(id) : undefined
}

async function findConnection(
  { request, origins, connection: ahead }: LegacyRequest,
  { connections, opened }: LegacyDeps,
  isRequest = false,
): Promise<Connection> {
  const version = request.headers.get('mcp-protocol-version')
  if (version !== null && !SUPPORTED_PROTOCOL_VERSIONS.includes(version)) {
    throw new AppError('invalid_request', 'Unsupported protocol version.')
  }
  const id = request.headers.get('mcp-session-id')
  if (id === null) throw new AppError('invalid_request', 'Mcp-Session-Id is missing.')
  const found = await (ahead ?? lookUp(id, connections))
  const connection = await connections.use(found, origins.tokenSession, isRequest)
  if (isRequest || connection.needsToken) opened.used(id)
  return connection
}
