/**
 * Where the messages of one exchange are written; each 2025-era transport has its own sink. That of
 * a POST is one JSON response, or an event stream if a notification precedes the response
 * (2025-11-25, basic/transports, "Sending Messages to the Server").
 */

import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server'
import { Timer } from '../../deadlines.ts'
import type { StorageBudget } from '../../store/storage-budget.ts'
import { JsonAnswer, jsonResponse, type McpAnswer } from '../mcp-request.ts'
import type { CallStream, CallStreams } from './call-streams.ts'
import { takesEmptyEvents } from './event-stream.ts'
import type { McpSessionRecord } from './mcp-session-record.ts'

export interface ResponseSink {
  /** Writes a message that is related to the request and precedes the response. */
  notify(message: JSONRPCMessage): void
  respond(message: JSONRPCMessage): void
  /** Closes the client's stream early. Undefined if the client would not resume it. */
  readonly closeStream?: (() => void) | undefined
  /** Ends without a response: the client cancelled. */
  discard(): void
}

/** A slower response becomes an event stream, so that the client can resume it. */
export const STREAM_AFTER_MS = 300

export interface PostResponseSink extends ResponseSink {
  readonly response: Promise<McpAnswer>
  /** Switches to an event stream. Idempotent. */
  open(): void
}

/** The exchange that the sink belongs to. */
export interface PostExchange {
  readonly mcpSession: McpSessionRecord
  readonly requestId: RequestId
  readonly storage: StorageBudget
  /** Called if another node has declared this call dead and answered the client. */
  fenced(): void
  /** Called after the last message: releases the slot of the pending response. */
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
    // Not for clients of older revisions: they treat a closed stream as a lost response.
    closeStream: takesEmptyEvents(mcpSession.protocolVersion)
      ? () => void openStream().closeStream()
      : undefined,
    discard: () => openStream().end({ end: 'cancelled' }),
  }
}

/** Errors become a `Response`, whose status can still change; a `JsonAnswer` has none. */
function answerOf(message: JSONRPCMessage): McpAnswer {
  return 'result' in message ? new JsonAnswer(message) : jsonResponse(message)
}

/** The error response of a call whose node died. */
export function lostAnswer(requestId: RequestId): JSONRPCMessage {
  const message = 'The server that ran this call was lost. Try again.'
  return { jsonrpc: '2.0', id: requestId, error: { code: -32603, message } }
}
