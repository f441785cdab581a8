/** The response body as a stream that ends at the deadline, even if it is not read. */

import {
  type BodyOptions,
  boundedParts,
  checkBody,
  hasNoContent,
  type Response,
} from './api-response.ts'
import type { Deadline } from './request-deadline.ts'
import { errorForTransport } from './upstream-error.ts'

/**
 * Takes ownership of the response and the deadline: releases both once the stream is read, is
 * cancelled or fails, at the latest when the deadline ends. Its errors are UpstreamErrors.
 */
export function streamResponseBody(
  response: Response,
  method: string,
  options: BodyOptions,
  deadline: Deadline,
): ReadableStream<Uint8Array> {
  const { body } = response
  if (hasNoContent(response, method)) {
    release()
    return new ReadableStream({ start: (controller) => controller.close() })
  }
  checkBody(response, options)
  const parts = options.hidden.overwriteEach(boundedParts(response, options.maxBytes))

  function release(): void {
    body.on('error', () => undefined).destroy()
    deadline.stop()
  }

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const fail = () => {
          release()
          controller.error(deadline.error())
        }
        deadline.signal.addEventListener('abort', fail, { once: true })
      },
      async pull(controller) {
        try {
          const { done, value } = await parts.next()
          if (done !== true) return controller.enqueue(new Uint8Array(value))
          deadline.stop()
          controller.close()
        } catch (error) {
          release()
          throw deadline.error() ?? errorForTransport(error)
        }
      },
      cancel: release,
    },
    // Backpressure: reads only on demand.
    { highWaterMark: 0 },
  )
}
