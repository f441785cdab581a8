/** A `subscriptions/listen` stream that ends with the token it was opened with. */

import type { SessionEnds, TokenSession } from './nodes/session-ends.ts'

/**
 * The stream, broken off without the result that a client would take as final (2026-07-28,
 * basic/utilities/subscriptions): it comes back, and learns then that it needs another token.
 */
export function endWithSession(
  response: Response,
  session: TokenSession,
  sessionEnds: SessionEnds,
): Response {
  if (response.body === null) return response
  const reader = response.body.getReader()
  let stop: () => void = () => undefined
  let isOver = false
  const body = new ReadableStream<Uint8Array>({
    start(sink) {
      stop = sessionEnds.watch(session, () => {
        isOver = true
        sink.close()
        // Lets go of the subscription behind it.
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
