/** A server-sent event stream of JSON-RPC messages (WHATWG HTML, 9.2). */

import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import { toWellFormedJson } from '../../well-formed.ts'

/** Keep-alive: comments at this interval prevent proxies from closing an idle stream. */
const KEEP_ALIVE_MS = 15_000

/** Backpressure limit: disconnects a client whose buffer exceeds 1 MiB. */
const MOST_BUFFERED_BYTES = 1024 * 1024

export interface EventStream {
  readonly response: Response
  /** False once the stream has ended or its client has disconnected. */
  readonly open: boolean
  write(message: JSONRPCMessage, id?: string): void
  /** Writes the transport's own first event, for clients that do not support empty events. */
  greet(greeting: { readonly event: string; readonly data: string }, id: string): void
  /** Writes an event without data: it gives the client an id to resume from. */
  prime(id: string): void
  /** Sets the client's reconnection delay (SSE `retry`). */
  retry(milliseconds: number): void
  end(): void
  /** Calls the listener once, when either side closes the stream. */
  onClose(listener: () => void): void
}

/** Clients of earlier revisions treat an event without data as an invalid message. */
export function takesEmptyEvents(protocolVersion: string | null): boolean {
  return protocolVersion !== null && protocolVersion >= '2025-11-25'
}

export function createEventStream(): EventStream {
  const encoder = new TextEncoder()
  const closed: (() => void)[] = []
  let sink: ReadableStreamDefaultController<Uint8Array> | undefined
  const keepAlive = setInterval(() => enqueue(': keep-alive\n\n'), KEEP_ALIVE_MS)

  function enqueue(frame: string): void {
    sink?.enqueue(encoder.encode(frame))
    if (sink === undefined || (sink.desiredSize ?? 0) >= -MOST_BUFFERED_BYTES) return
    // `error` discards the buffer, `close` would keep it; the client can resume for a replay.
    sink.error(new Error('The client reads too slowly.'))
    release()
  }

  function release(): void {
    clearInterval(keepAlive)
    sink = undefined
    for (const listener of closed.splice(0)) listener()
  }

  function end(): void {
    sink?.close()
    release()
  }

  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        sink = controller
      },
      // A disconnect ends the stream, not the call: only a cancellation ends the call.
      cancel: release,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
  )

  const idLine = (id: string | undefined) => (id === undefined ? '' : `id: ${id}\n`)
  return {
    response: new Response(body, {
      headers: {
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache, no-transform',
        // Turns off the response buffering of nginx.
        'x-accel-buffering': 'no',
      },
    }),
    get open() {
      return sink !== undefined
    },
    write: (message, id) =>
      enqueue(`event: message\n${idLine(id)}data: ${toWellFormedJson(message)}\n\n`),
    greet: ({ event, data }, id) => enqueue(`event: ${event}\n${idLine(id)}data: ${data}\n\n`),
    prime: (id) => enqueue(`${idLine(id)}data: \n\n`),
    retry: (milliseconds) => enqueue(`retry: ${milliseconds}\n\n`),
    end,
    onClose(listener) {
      if (sink === undefined) listener()
      else closed.push(listener)
    },
  }
}
