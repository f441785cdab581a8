/**
 * The way out for a POST: one JSON answer, or a stream once there is something to say before the
 * answer (2025-11-25, basic/transports, "Sending Messages to the Server").
 */

import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server'
import { JsonAnswer, jsonResponse, type McpAnswer } from '../answer.ts'
import type { Limits } from '../limits.ts'
import type { RequestOrigins } from '../origin.ts'
import type { CallStream, CallStreams } from './call-streams.ts'
import type { ConnectionRecord } from './connection.ts'
import { takesEmptyEvents } from './event-stream.ts'
import type { Outlet } from './outlet.ts'

/** A slower answer becomes a stream, so that its client can come back for it. */
const STREAM_AFTER_MS = 300

export interface PostOutlet extends Outlet {
  readonly response: Promise<McpAnswer>
}

export interface PostOutletDeps {
  readonly calls: CallStreams
  readonly limits: Limits
}

/**
 * `fenced` is called when another node declared this call dead: its client has its answer.
 * @throws AppError `too_many_requests` when its session, or an address without a token, has as many
 * streams here as it may
 */
export function createPostOutlet(
  { calls, limits }: PostOutletDeps,
  connection: ConnectionRecord,
  requestId: RequestId,
  fenced: () => void,
  { caller, storage }: Pick<RequestOrigins, 'caller' | 'storage'>,
): PostOutlet {
  const release = limits.answer(connection.sessionId, caller)
  let stream: CallStream | undefined
  let respond!: (answer: McpAnswer) => void
  const response = new Promise<McpAnswer>((resolve) => {
    respond = resolve
  })
  const timer = setTimeout(openStream, STREAM_AFTER_MS)

  function openStream(): CallStream {
    if (stream === undefined) {
      clearTimeout(timer)
      stream = calls.open(connection, requestId, fenced, storage)
      stream.events.onClose(release)
      respond(stream.events.response)
    }
    return stream
  }

  return {
    response,
    tell: (message) => openStream().write(message),
    answer(message) {
      clearTimeout(timer)
      if (stream === undefined) {
        respond(answerOf(message))
        release()
      }
      stream?.end({ end: 'answered', message })
    },
    // Clients since the revision that has both; older ones take an ended stream for a lost answer.
    hangUp: takesEmptyEvents(connection.protocolVersion)
      ? () => void openStream().hangUp()
      : undefined,
    drop: () => openStream().end({ end: 'cancelled' }),
  }
}

/** Errors may get another status, which a whole answer has not. */
function answerOf(message: JSONRPCMessage): McpAnswer {
  return 'result' in message ? new JsonAnswer(message) : jsonResponse(message)
}
