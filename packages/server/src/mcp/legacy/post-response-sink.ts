/**
 * The way out for a POST: one JSON answer, or a stream once there is something to say before the
 * answer (2025-11-25, basic/transports, "Sending Messages to the Server").
 */

import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server'
import { Timer } from '../../deadlines.ts'
import type { StorageBudget } from '../../store/storage-budget.ts'
import { JsonAnswer, jsonResponse, type McpAnswer } from '../mcp-answer.ts'
import type { CallStream, CallStreams } from './call-streams.ts'
import { takesEmptyEvents } from './event-stream.ts'
import type { McpSessionRecord } from './mcp-session.ts'
import type { ResponseSink } from './response-sink.ts'

/** A slower answer becomes a stream, so that its client can come back for it. */
export const STREAM_AFTER_MS = 300

export interface PostResponseSink extends ResponseSink {
  readonly response: Promise<McpAnswer>
  /** Becomes a stream, if it is none yet. */
  open(): void
}

/** The exchange that it belongs to. */
export interface PostExchange {
  readonly mcpSession: McpSessionRecord
  readonly requestId: RequestId
  readonly storage: StorageBudget
  /** Called when another node declared this call dead: its client has its answer. */
  fenced(): void
  /** Called when nothing more comes: gives back the place of the stream. */
  release(): void
}

export function createPostResponseSink(
  calls: CallStreams,
  { mcpSession, requestId, storage, fenced, release }: PostExchange,
): PostResponseSink {
  let stream: CallStream | undefined
  let respond!: (answer: McpAnswer) => void
  const response = new Promise<McpAnswer>((resolve) => {
    respond = resolve
  })
  const deadline = new Timer(STREAM_AFTER_MS, openStream)

  function openStream(): CallStream {
    if (stream === undefined) {
      deadline.clear()
      stream = calls.open(mcpSession, requestId, fenced, storage)
      stream.events.onClose(release)
      respond(stream.events.response)
    }
    return stream
  }

  return {
    response,
    open: () => void openStream(),
    notify: (message) => openStream().write(message),
    respond(message) {
      deadline.clear()
      if (stream === undefined) {
        respond(answerOf(message))
        release()
      }
      stream?.end({ end: 'answered', message })
    },
    // Clients since the revision that has both; older ones take an ended stream for a lost answer.
    closeStream: takesEmptyEvents(mcpSession.protocolVersion)
      ? () => void openStream().closeStream()
      : undefined,
    discard: () => openStream().end({ end: 'cancelled' }),
  }
}

/** Errors may get another status, which a whole answer has not. */
function answerOf(message: JSONRPCMessage): McpAnswer {
  return 'result' in message ? new JsonAnswer(message) : jsonResponse(message)
}
