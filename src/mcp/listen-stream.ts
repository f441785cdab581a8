/** A `subscriptions/listen` stream that ends with the token it was opened with. */

import type { SessionEnds, TokenSession } from './nodes/session-ends.ts'

/**
 * The stream, cut off rather than ended: a client takes an end as final, but comes back after a lost
 * connection, and learns then that it needs another token.
 */
export function endWithSession(
  response: Response,
  session: TokenSession,
  sessionEnds: SessionEnds,
): Response {
  if (response.body === null) return response
  const reader = response.body.getReader()
  let stop: () => void = () => undefined
  const body = new ReadableStream<Uint8Array>({
    start(sink) {
      stop = sessionEnds.watch(session, () => {
        sink.error(new Error('The session of this stream has ended.'))
        // Lets go of the subscription behind it.
        void reader.cancel()
      })
    },
    async pull(sink) {
      const { done, value } = await reader.read()
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
