/** The 2025 era on `/mcp`: Streamable HTTP with connections that any node serves (2025-11-25, basic/transports). */

import {
  isJSONRPCRequest,
  type JSONRPCMessage,
  type JSONRPCRequest,
} from '@modelcontextprotocol/server'
import type { ToolOutcome } from '../../engine/run-tool.ts'
import { AppError } from '../../errors.ts'
import { jsonResponse, type McpAnswer } from '../answer.ts'
import { withStatus } from '../handler-errors.ts'
import type { Node } from '../nodes/node.ts'
import { carryOutcome, type Origin, originAsAuthInfo } from '../origin.ts'
import type { McpRequest } from '../request.ts'
import type { CallStreams } from './call-streams.ts'
import type { Connection, Connections } from './connection.ts'
import { essentials } from './essentials.ts'
import { parseEventId } from './event-id.ts'
import { findConnection, lookUp, type NamedConnection } from './find-connection.ts'
import type { HeldStreams } from './held-streams.ts'
import { asInitialize, type LegacyMessages } from './messages.ts'
import type { OpenedConnections } from './opened-connections.ts'
import { createPostOutlet, type PostExchange, type PostOutlet } from './post-outlet.ts'
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

/** A tool call of the 2025 era that needed nothing of the SDK until its tool had run. */
export interface RunCall {
  readonly message: JSONRPCRequest
  readonly connection: Connection
  readonly origin: Origin
  readonly outcome: Promise<ToolOutcome>
  /** Where the answer goes; it may be a stream already. `cancel` stops what still runs. */
  outletOf(cancel: () => void): PostOutlet
}

export interface LegacyEndpoint {
  /** Looks a connection up by its id, for whoever calls: that is found out meanwhile. */
  lookUp(id: string): Promise<Connection | undefined>
  /**
   * The connection that a request names, counted as used by it.
   * @throws AppError `invalid_request`, `not_found`
   */
  find(request: NamedConnection): Promise<Connection>
  /** Makes the outlet of a request that the caller has a place for. */
  outlet(exchange: PostExchange): PostOutlet
  /** Hands a call to the SDK whose tool has run, to ask the client or to fail. */
  finish(call: RunCall): Promise<McpAnswer>
  /** `body` is what was posted, parsed. */
  post(request: LegacyRequest, body: unknown): Promise<McpAnswer>
  /** Opens the connection's stream, or goes on with one that broke off. */
  get(request: LegacyRequest): Promise<Response>
  /** Ends the connection for all nodes. */
  end(request: LegacyRequest): Promise<Response>
}

export function createLegacyEndpoint(deps: LegacyDeps): LegacyEndpoint {
  const { connections, messages, calls, held, node } = deps

  return {
    lookUp: (id) => lookUp(id, connections),
    find: (request) => findConnection(request, deps, true),
    outlet: (exchange) => createPostOutlet(calls, exchange),
    async finish({ message, connection, origin, outcome, outletOf }) {
      const authInfo = originAsAuthInfo(origin)
      carryOutcome(authInfo, outcome)
      const { response } = await messages.request(message, connection, authInfo, (_id, cancel) =>
        outletOf(cancel),
      )
      return withStatus(await response, authInfo)
    },
    async post(legacy, body) {
      const message = body as JSONRPCMessage
      const initialize = asInitialize(message)
      if (initialize !== undefined) return connect(deps, initialize, legacy)
      const isRequest = isJSONRPCRequest(message)
      const connection = await findConnection(named(legacy), deps, isRequest)
      if (isRequest) return serveRequest(deps, message, connection, legacy)
      await messages.takeIn(body, connection)
      return new Response(null, { status: 202 })
    },
    async get(legacy) {
      const { request, origins } = legacy
      if (!/text\/event-stream|\*\/\*/i.test(request.headers.get('accept') ?? '')) {
        throw new AppError('not_acceptable', 'Accept text/event-stream.')
      }
      const connection = await findConnection(named(legacy), deps)
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
      const connection = await findConnection(named(legacy), deps)
      // The session first: whoever asks again must find the connection for as long as that is alive.
      await legacy.origins.disconnect(connection)
      await connections.end(connection.id)
      await node.announce({ kind: 'connection_ended', connectionId: connection.id })
      return new Response(null, { status: 204 })
    },
  }
}

async function connect(
  { messages, connections, opened }: LegacyDeps,
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

async function serveRequest(
  { messages, calls, limits }: LegacyDeps,
  message: JSONRPCRequest,
  connection: Connection,
  { origins }: LegacyRequest,
): Promise<McpAnswer> {
  const authInfo = originAsAuthInfo(origins.connection(connection))
  const { response } = await messages.request(message, connection, authInfo, (id, fenced) => {
    const release = limits.answer(connection.sessionId, origins.caller)
    const { storage } = origins
    return createPostOutlet(calls, { connection, requestId: id, storage, fenced, release })
  })
  return withStatus(await response, authInfo)
}

function named({ request: { headers }, origins, connection: ahead }: LegacyRequest) {
  return {
    version: headers.get('mcp-protocol-version') ?? undefined,
    id: headers.get('mcp-session-id') ?? undefined,
    owner: origins.tokenSession,
    ahead,
  }
}
