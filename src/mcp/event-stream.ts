/** A server-sent event stream of JSON-RPC messages (WHATWG HTML, 9.2). */

import type { JSONRPCMessage } from '@modelcontextprotocol/server'

/** Comments at this pace keep proxies from closing a quiet stream. */
const KEEP_ALIVE_MS = 15_000

/** A reader this far behind is not reading. */
const MOST_BUFFERED_BYTES = 1024 * 1024

export interface EventStream {
  readonly response: Response
  write(message: JSONRPCMessage): void
  end(): void
}

/** The client going away ends the stream, not the call: in the 2025 era only a cancellation does. */
export function createEventStream(): EventStream {
  const encoder = new TextEncoder()
  let sink: ReadableStreamDefaultController<Uint8Array> | undefined
  const keepAlive = setInterval(() => enqueue(': keep-alive\n\n'), KEEP_ALIVE_MS)

  function enqueue(frame: string): void {
    sink?.enqueue(encoder.encode(frame))
    if (sink !== undefined && (sink.desiredSize ?? 0) < -MOST_BUFFERED_BYTES) end()
  }

  function end(): void {
    clearInterval(keepAlive)
    sink?.close()
    sink = undefined
  }

  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        sink = controller
      },
      cancel() {
        sink = undefined
        clearInterval(keepAlive)
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
  )

  return {
    response: new Response(body, {
      headers: {
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache, no-transform',
        // Nginx collects answers unless it is told not to.
        'x-accel-buffering': 'no',
      },
    }),
    write: (message) => enqueue(`event: message\ndata: ${JSON.stringify(message)}\n\n`),
    end,
  }
}
