/** Ends a `subscriptions/listen` stream together with its session. */

import { SUBSCRIPTION_ID_META_KEY } from '@modelcontextprotocol/server'
import type { SessionEnds, TokenSession } from './nodes/session-ends.ts'

/**
 * Sends the result and ends the stream when the session ends (2026-07-28,
 * basic/utilities/subscriptions). If only the token expires, closes the stream without a result,
 * which clients would treat as final: the client reconnects and learns that it needs a new token.
 */
export function endWithSession(
  response: Response,
  session: TokenSession,
  sessionEnds: SessionEnds,
  requestId: unknown,
): Response {
  const type = response.headers.get('content-type') ?? ''
  if (response.body === null || !type.startsWith('text/event-stream')) return response
  const reader = response.body.getReader()
  let stop: () => void = () => undefined
  let isOver = false
  const body = new ReadableStream<Uint8Array>({
    start(sink) {
      stop = sessionEnds.watch(session, (reason) => {
        isOver = true
        if (reason === 'ended') sink.enqueue(completion(requestId))
        sink.close()
        // Releases the SDK's subscription.
        void reader.cancel()
      })
    },
    async pull(sink) {
      const { done, value } = await reader.read()
      if (isOver) return
      if (!done) {
        sink.enqueue(value)
        return
      }
      stop()
      sink.close()
    },
    cancel(reason) {
      stop()
      return reader.cancel(reason)
    },
  })
  return new Response(body, { status: response.status, headers: response.headers })
}

function completion(id: unknown): Uint8Array {
  const result = { resultType: 'complete', _meta: { [SUBSCRIPTION_ID_META_KEY]: id } }
  const message = JSON.stringify({ jsonrpc: '2.0', id, result })
  return new TextEncoder().encode(`event: message\ndata: ${message}\n\n`)
}
