/**
 * The 2025 era on `/mcp` (2025-11-25, basic/transports). A connection lives in the store, so each
 * POST is served by whichever node gets it: its stored `initialize` is replayed into a fresh server.
 */

import {
  type InitializeRequest,
  isInitializeRequest,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResponse,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/server'
import { AppError } from '../errors.ts'
import type { ClientAnswers } from './client-answers.ts'
import type { ConnectionRecord, Connections } from './connection.ts'
import { withStatus } from './handler-errors.ts'
import { createLegacyExchange, type LegacyExchange } from './legacy-exchange.ts'
import { originAsAuthInfo, type RequestOrigins } from './origin.ts'
import type { BuildServer } from './server.ts'

/** Characters of JSON. Real clients need a few hundred. */
const MOST_CAPABILITIES = 8192

export interface LegacyDeps {
  readonly connections: Connections
  readonly answers: ClientAnswers
  readonly buildServer: BuildServer
}

export interface LegacyRequest {
  readonly request: Request
  /** The parsed body of a POST. */
  readonly body: unknown
  readonly origins: RequestOrigins
}

export interface LegacyEndpoint {
  post(request: LegacyRequest): Promise<Response>
  /** Ends the connection for all nodes. */
  end(request: Omit<LegacyRequest, 'body'>): Promise<Response>
}

export function createLegacyEndpoint(deps: LegacyDeps): LegacyEndpoint {
  const { connections, answers } = deps
  /** Calls this node runs, so that they can be cancelled. */
  const running = new Map<string, LegacyExchange>()

  async function connect({ body, origins }: LegacyRequest): Promise<Response> {
    const request = body as JSONRPCRequest & InitializeRequest
    const exchange = createLegacyExchange(answers, '')
    await deps.buildServer({ audience: 'anonymous' }).connect(exchange.transport)
    const answer = await exchange.replay(request)
    await exchange.transport.close()
    if (!('result' in answer)) return Response.json(answer, { status: 400 })

    const { protocolVersion } = answer.result as { protocolVersion: string }
    const initialize = essentials(request.params, protocolVersion)
    const clientName = initialize.clientInfo.name
    const { sessionId } = await origins.connect({ clientName, protocolVersion })
    const { id } = await connections.create({ sessionId, protocolVersion, initialize })
    origins.log.info({ client: clientName, protocolVersion }, 'connected')
    return Response.json(answer, { headers: { 'mcp-session-id': id } })
  }

  async function call(
    message: JSONRPCRequest,
    connection: ConnectionRecord,
    { origins }: LegacyRequest,
  ): Promise<Response> {
    const exchange = createLegacyExchange(answers, connection.id)
    const { transport } = exchange
    await deps.buildServer({ audience: 'anonymous' }).connect(transport)
    const params = connection.initialize
    await exchange.replay({ jsonrpc: '2.0', id: REPLAY_ID, method: 'initialize', params })

    const key = runningKey(connection.id, message.id)
    const { onclose } = transport
    transport.onclose = () => {
      if (running.get(key) === exchange) running.delete(key)
      onclose?.()
    }
    running.set(key, exchange)
    const authInfo = originAsAuthInfo(origins.connection(connection))
    return withStatus(await exchange.serve(message, authInfo), authInfo)
  }

  return {
    async post(legacy) {
      if (isInitializeRequest(legacy.body)) return connect(legacy)
      const message = legacy.body as JSONRPCMessage
      if ('method' in message && message.method === 'initialize') {
        throw new AppError('invalid_params', 'The parameters of initialize are not valid.')
      }
      const connection = await findConnection(legacy.request, connections)
      if (isJSONRPCRequest(message)) return call(message, connection, legacy)
      if (isJSONRPCNotification(message)) return notified(message, connection, running, answers)
      if (isJSONRPCResponse(message)) {
        // Too late or never asked: there is nothing the client could do about it.
        answers.deliver(connection.id, message.id, message)
        return accepted()
      }
      throw new AppError('invalid_request', 'The body is not a JSON-RPC message.')
    },
    async end({ request, origins }) {
      const connection = await findConnection(request, connections)
      await connections.end(connection.id)
      const session = await origins.connection(connection).openSession(undefined, {})
      await session.end()
      return new Response(null, { status: 204 })
    },
  }
}

/**
 * What a replay needs. The rest, such as icons, is not looked at again, and would let anybody fill
 * the store.
 */
function essentials(
  { capabilities, clientInfo }: InitializeRequest['params'],
  protocolVersion: string,
): InitializeRequest['params'] {
  if (JSON.stringify(capabilities).length > MOST_CAPABILITIES) {
    throw new AppError('payload_too_large', 'The capabilities are too long.')
  }
  const name = clientInfo.name.slice(0, 100)
  const version = clientInfo.version.slice(0, 100)
  return { protocolVersion, capabilities, clientInfo: { name, version } }
}

/** Notifications get no answer, whatever becomes of them (JSON-RPC 2.0, 4.1). */
function notified(
  notification: JSONRPCNotification,
  { id }: ConnectionRecord,
  running: ReadonlyMap<string, LegacyExchange>,
  answers: ClientAnswers,
): Response {
  const { method, params } = notification
  if (method === 'notifications/cancelled') {
    running.get(runningKey(id, params?.requestId))?.cancel(params?.reason)
  }
  if (method === 'notifications/progress') {
    answers.deliver(id, params?.progressToken, notification)
  }
  return accepted()
}

/** No client can use it: its own ids are what it sends, and this one never reaches the wire. */
const REPLAY_ID = 'initialize-replay'

async function findConnection(
  request: Request,
  connections: Connections,
): Promise<ConnectionRecord> {
  const version = request.headers.get('mcp-protocol-version')
  if (version !== null && !SUPPORTED_PROTOCOL_VERSIONS.includes(version)) {
    throw new AppError('invalid_request', 'Unsupported protocol version.')
  }
  const id = request.headers.get('mcp-session-id')
  if (id === null) throw new AppError('invalid_request', 'Mcp-Session-Id is missing.')
  const connection = id.startsWith('con_') ? await connections.retrieve(id) : undefined
  if (connection === undefined) throw new AppError('not_found', 'Session not found.')
  return connection
}

function runningKey(connectionId: string, requestId: unknown): string {
  return `${connectionId} ${typeof requestId} ${String(requestId)}`
}

function accepted(): Response {
  return new Response(null, { status: 202 })
}
