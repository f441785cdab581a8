/** A server-sent event stream of JSON-RPC messages (WHATWG HTML, 9.2). */

import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import { toWellFormedJson } from '../../well-formed.ts'

/** Comments at this pace keep proxies from closing a quiet stream. */
const KEEP_ALIVE_MS = 15_000

/** A reader this far behind is not reading. */
const MOST_BUFFERED_BYTES = 1024 * 1024

export interface EventStream {
  readonly response: Response
  /** False once nobody reads any more. */
  readonly open: boolean
  write(message: JSONRPCMessage, id?: string): void
  /** The first event of a transport that has one of its own; its clients know no empty events. */
  greet(greeting: { readonly event: string; readonly data: string }, id: string): void
  /** An event without data: it gives the client the id to come back with. */
  prime(id: string): void
  /** Tells how long to wait before coming back. */
  retry(milliseconds: number): void
  end(): void
  /** Called once, when the stream is over from either side. */
  onClose(listener: () => void): void
}

/** Clients of earlier revisions take an event without data for a broken message. */
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
    // Not its end, which would keep what is buffered: the client can have it again.
    sink.error(new Error('The reader is too slow.'))
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
      // The client going away ends the stream, not the call: only a cancellation does.
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
        // Nginx collects answers unless it is told not to.
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
