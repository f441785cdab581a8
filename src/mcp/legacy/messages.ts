/**
 * What becomes of a client's message on a connection, whichever transport brought it. A connection
 * lives in the store, so its stored `initialize` is replayed into a fresh server for each request.
 */

import {
  type AuthInfo,
  type InitializeRequest,
  isInitializeRequest,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResponse,
  isSpecType,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
  type RequestId,
} from '@modelcontextprotocol/server'
import { AppError } from '../../errors.ts'
import type { Limits } from '../limits.ts'
import { type Audience, audienceOf } from '../origin.ts'
import type { BuildServer } from '../server.ts'
import type { ClientAnswers } from './client-answers.ts'
import type { ConnectionRecord, Connections } from './connection.ts'
import { createExchange, type Exchange } from './exchange.ts'
import type { Outlet } from './outlet.ts'
import type { RunningCalls } from './running-calls.ts'

export interface MessageDeps {
  readonly answers: ClientAnswers
  readonly running: RunningCalls
  readonly connections: Connections
  readonly limits: Limits
  readonly buildServer: BuildServer
}

/** Makes the way out of a request, which does not run before; `cancel` stops it when it does. */
export type MakeOutlet<T extends Outlet> = (
  requestId: RequestId,
  cancel: () => void,
) => T | Promise<T>

export interface LegacyMessages {
  /** Answers `initialize`. */
  initialize(request: JSONRPCRequest): Promise<JSONRPCMessage>
  /**
   * Runs a request; what it says leaves by the outlet that is given back.
   * @throws AppError `too_many_requests` when its session runs as many here as it may
   */
  request<T extends Outlet>(
    request: JSONRPCRequest,
    connection: ConnectionRecord,
    authInfo: AuthInfo,
    makeOutlet: MakeOutlet<T>,
  ): Promise<T>
  /** Takes in a notification or an answer. */
  takeIn(message: JSONRPCMessage, connection: ConnectionRecord): Promise<void>
}

/** No client can use it: its own ids are what it sends, and these never reach the wire. */
const REPLAY_ID = 'replay'

export function createLegacyMessages(deps: MessageDeps): LegacyMessages {
  const { answers, running, connections, limits, buildServer } = deps

  async function open(connectionId: string, audience: Audience): Promise<Exchange> {
    const exchange = createExchange(answers, connectionId)
    await buildServer({ audience }).connect(exchange.transport)
    return exchange
  }

  return {
    async initialize(request) {
      // Nothing is listed in its answer.
      const exchange = await open('', 'anonymous')
      const answer = await exchange.replay(request)
      await exchange.transport.close()
      return answer
    },
    async request(request, connection, authInfo, makeOutlet) {
      const release = limits.call(connection.sessionId)
      try {
        if (isSpecType.SetLevelRequest(request)) {
          await connections.update(connection.id, { logLevel: request.params.level })
        }
        const exchange = await open(connection.id, audienceOf(authInfo))
        for (const earlier of replays(connection)) await exchange.replay(earlier)
        const outlet = await makeOutlet(request.id, () => exchange.cancel('fenced'))
        exchange.onEnd(release)
        running.add(connection.id, request.id, exchange)
        exchange.serve(request, outlet, authInfo)
        return outlet
      } catch (error) {
        release()
        throw error
      }
    },
    async takeIn(message, connection) {
      if (isJSONRPCNotification(message)) await takeNotification(deps, message, connection)
      // Too late or never asked: there is nothing the client could do about it.
      else if (isJSONRPCResponse(message)) await answers.deliver(connection.id, message.id, message)
      else throw new AppError('invalid_request', 'The body is not a JSON-RPC message.')
    },
  }
}

/** What brings a fresh server to where the connection is. */
function replays({ initialize, logLevel }: ConnectionRecord): JSONRPCRequest[] {
  const requests: JSONRPCRequest[] = []
  const add = (method: string, params: object) =>
    requests.push({ jsonrpc: '2.0', id: `${REPLAY_ID}-${method}`, method, params: { ...params } })
  if (initialize !== null) add('initialize', initialize)
  if (logLevel !== null) add('logging/setLevel', { level: logLevel })
  return requests
}

async function takeNotification(
  { running, answers }: MessageDeps,
  notification: JSONRPCNotification,
  { id }: ConnectionRecord,
): Promise<void> {
  const { method, params } = notification
  if (method === 'notifications/cancelled') {
    const requestId = params?.requestId
    if (typeof requestId !== 'string' && typeof requestId !== 'number') return
    await running.cancel(id, requestId, String(params?.reason ?? 'cancelled by the client'))
  }
  if (method === 'notifications/progress') {
    await answers.deliver(id, params?.progressToken, notification)
  }
}

/**
 * The `initialize` request, if the message is one.
 * @throws AppError `invalid_request` when it is one with unusable parameters
 */
export function asInitialize(
  message: JSONRPCMessage,
): (JSONRPCRequest & InitializeRequest) | undefined {
  if (!isJSONRPCRequest(message) || message.method !== 'initialize') return undefined
  if (isInitializeRequest(message)) return message as JSONRPCRequest & InitializeRequest
  throw new AppError('invalid_params', 'The parameters of initialize are not valid.')
}
