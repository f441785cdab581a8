/**
 * What becomes of a client's message on a connection, whichever transport brought it. A connection
 * lives in the store: each request goes to a server that was told what its `initialize` said.
 */

import {
  type AuthInfo,
  type InitializeRequest,
  isInitializeRequest,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isSpecType,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
  type RequestId,
} from '@modelcontextprotocol/server'
import { AppError } from '../../errors.ts'
import { checkEnvelope, isAnswer, notAMessage } from '../client-answer.ts'
import type { Limits } from '../limits.ts'
import { audienceOf, carriedOrigin } from '../origin.ts'
import type { ClientAnswers } from './client-answers.ts'
import type { ConnectionRecord, Connections } from './connection.ts'
import { createExchange } from './exchange.ts'
import { cancellationOf } from './notification-fields.ts'
import type { Outlet } from './outlet.ts'
import type { RunningCalls } from './running-calls.ts'
import { ask, type LegacyServers } from './servers.ts'

export interface MessageDeps {
  readonly answers: ClientAnswers
  readonly running: RunningCalls
  readonly connections: Connections
  readonly limits: Limits
  readonly servers: LegacyServers
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
   * @throws AppError `too_many_requests` when its session, or an address without a token, runs as
   * many here as it may
   */
  request<T extends Outlet>(
    request: JSONRPCRequest,
    connection: ConnectionRecord,
    authInfo: AuthInfo,
    makeOutlet: MakeOutlet<T>,
  ): Promise<T>
  /**
   * Takes in a notification or an answer.
   * @throws AppError `invalid_request` for anything else
   */
  takeIn(message: unknown, connection: ConnectionRecord): Promise<void>
}

export function createLegacyMessages(deps: MessageDeps): LegacyMessages {
  const { answers, running, connections, limits, servers } = deps

  return {
    async initialize(request) {
      // Nothing is listed in its answer.
      const server = await servers.fresh('anonymous')
      const answer = await ask(server, request)
      await server.close()
      return answer
    },
    async request(request, connection, authInfo, makeOutlet) {
      const release = limits.call(connection.sessionId, carriedOrigin(authInfo).caller)
      try {
        const level = levelIn(request)
        if (level !== undefined) await connections.update(connection.id, { logLevel: level })
        const audience = audienceOf(authInfo)
        const server =
          level === undefined
            ? await servers.of(audience, connection)
            : await servers.fresh(audience, connection)
        const exchange = createExchange(server, answers, connection.id, request)
        const outlet = await makeOutlet(request.id, () => exchange.cancel('fenced'))
        exchange.onEnd(release)
        exchange.onEnd(() => running.remove(connection.id, exchange))
        running.add(connection.id, request.id, exchange)
        exchange.serve(outlet, authInfo)
        return outlet
      } catch (error) {
        release()
        throw error
      }
    },
    async takeIn(message, connection) {
      if (isAnswer(message)) {
        checkEnvelope(message)
        await answers.answer(connection.id, message)
      } else if (isJSONRPCNotification(message)) {
        await takeNotification(deps, message, connection)
      } else {
        throw notAMessage()
      }
    },
  }
}

/** What the client wants to be logged to it from now on, if that is what it says. */
function levelIn(request: JSONRPCRequest) {
  if (request.method !== 'logging/setLevel') return undefined
  return isSpecType.SetLevelRequest(request) ? request.params.level : undefined
}

async function takeNotification(
  { running, answers }: MessageDeps,
  notification: JSONRPCNotification,
  connection: ConnectionRecord,
): Promise<void> {
  const { method, params } = notification
  if (method === 'notifications/cancelled') {
    const cancellation = cancellationOf(params)
    if (cancellation !== undefined) await running.cancel(connection, cancellation)
  }
  if (method === 'notifications/progress') await answers.progress(connection.id, notification)
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
