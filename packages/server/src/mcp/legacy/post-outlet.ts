/**
 * The way out for a POST: one JSON answer, or a stream once there is something to say before the
 * answer (2025-11-25, basic/transports, "Sending Messages to the Server").
 */

import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server'
import { Timer } from '../../deadlines.ts'
import type { StorageBudget } from '../../store/storage-budget.ts'
import { JsonAnswer, jsonResponse, type McpAnswer } from '../answer.ts'
import type { CallStream, CallStreams } from './call-streams.ts'
import type { ConnectionRecord } from './connection.ts'
import { takesEmptyEvents } from './event-stream.ts'
import type { Outlet } from './outlet.ts'

/** A slower answer becomes a stream, so that its client can come back for it. */
export const STREAM_AFTER_MS = 300

export interface PostOutlet extends Outlet {
  readonly response: Promise<McpAnswer>
  /** Becomes a stream, if it is none yet. */
  open(): void
}

/** The exchange that it belongs to. */
export interface PostExchange {
  readonly connection: ConnectionRecord
  readonly requestId: RequestId
  readonly storage: StorageBudget
  /** Called when another node declared this call dead: its client has its answer. */
  fenced(): void
  /** Called when nothing more comes: gives back the place of the stream. */
  release(): void
}

export function createPostOutlet(
  calls: CallStreams,
  { connection, requestId, storage, fenced, release }: PostExchange,
): PostOutlet {
  let stream: CallStream | undefined
  let respond!: (answer: McpAnswer) => void
  const response = new Promise<McpAnswer>((resolve) => {
    respond = resolve
  })
  const deadline = new Timer(STREAM_AFTER_MS, openStream)

  function openStream(): CallStream {
    if (stream === undefined) {
      deadline.clear()
      stream = calls.open(connection, requestId, fenced, storage)
      stream.events.onClose(release)
      respond(stream.events.response)
    }
    return stream
  }

  return {
    response,
    open: () => void openStream(),
    tell: (message) => openStream().write(message),
    answer(message) {
      deadline.clear()
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
