/**
 * Server-sent event streams of JSON-RPC messages (WHATWG HTML, 9.2): event ids, the notifier of new
 * entries, and the graceful shutdown of streams that clients resume on another node.
 */

import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import { toWellFormedJson } from '../../well-formed.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'
import type { SessionEnds, TokenSession } from '../nodes/session-ends.ts'
import { FrameBuffer } from './frame-buffer.ts'

/** Keep-alive: comments at this interval prevent proxies from closing an idle stream. */
const KEEP_ALIVE_MS = 15_000

/**
 * Reconnection delay: a stopping node leaves the load balancer, and a call whose tool closed the
 * stream progresses, without a noticeable wait.
 */
const RECONNECTION_MS = 500

/** Clients of earlier revisions treat an event without data as an invalid message. */
export function takesEmptyEvents(protocolVersion: string | null): boolean {
  return protocolVersion !== null && protocolVersion >= '2025-11-25'
}

export type EventStream = ReturnType<typeof createEventStream>

/** `disconnect` closes the connection of a client that does not read. */
export function createEventStream(disconnect?: () => void) {
  const buffer = new FrameBuffer(disconnect)
  const keepAlive = setInterval(() => {
    // A stream with unread data is not idle, and the comment could exceed the limit.
    if (buffer.bytes === 0) buffer.enqueue(': keep-alive\n\n')
  }, KEEP_ALIVE_MS)
  buffer.onClose(() => clearInterval(keepAlive))

  const idLine = (id: string | undefined) => (id === undefined ? '' : `id: ${id}\n`)
  return {
    response: new Response(buffer.body, {
      headers: {
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache, no-transform',
        // Turns off the response buffering of nginx.
        'x-accel-buffering': 'no',
      },
    }),
    /** False once the stream has ended or its client has disconnected. */
    get isOpen(): boolean {
      return buffer.isOpen
    },
    /** Whether the next write would disconnect the client: backpressure limit. */
    get isFull(): boolean {
      return buffer.isFull
    },
    /** Resolves when a full stream has been read, or has ended. */
    drained: (): Promise<void> => buffer.drained(),
    write: (message: JSONRPCMessage, id?: string): void =>
      buffer.enqueue(`event: message\n${idLine(id)}data: ${toWellFormedJson(message)}\n\n`),
    /** Writes the `endpoint` event (2024-11-05, basic/transports): where the client may POST. */
    writeEndpoint: (url: string, id: string): void =>
      buffer.enqueue(`event: endpoint\n${idLine(id)}data: ${url}\n\n`),
    /** Writes an event without data: it gives the client an id to resume from. */
    prime: (id: string): void => buffer.enqueue(`${idLine(id)}data: \n\n`),
    /** Writes a comment, which clients ignore: some proxies send the headers with the first byte. */
    comment: (): void => buffer.enqueue(': open\n\n'),
    /** Ends the stream. What the client has not read remains available to it. */
    end: (): void => buffer.end(),
    /** Ends a stream whose slot is released; disconnects a client that has not read it. */
    endUnheld: (): void => buffer.endUnheld(),
    /** Ends a stream that the client will resume, after the reconnection delay (SSE `retry`). */
    endForReconnection(): void {
      buffer.enqueue(`retry: ${RECONNECTION_MS}\n\n`)
      buffer.end()
    },
    /** Calls the listener once, when either side closes the stream. */
    onClose: (listener: () => void): void => buffer.onClose(listener),
  }
}

/** Id in the stream of a POST: node and number of the call, sequence number of the event. */
export interface CallEventId {
  readonly kind: 'call'
  readonly node: string
  readonly call: number
  readonly sequence: number
}

/** Id in a GET stream: read positions in the MCP session's own log and in the common log. */
export interface StreamEventId {
  readonly kind: 'stream'
  readonly own: string
  readonly common: string
}

const CALL = /^r\.([0-9a-f]{12})\.(\d{1,15})\.(\d{1,15})$/
const STREAM = /^s\.(\d{1,15}(?:-\d{1,15})?)\.(\d{1,15}(?:-\d{1,15})?)$/

export function formatEventId(id: CallEventId | StreamEventId): string {
  return id.kind === 'call' ? `r.${id.node}.${id.call}.${id.sequence}` : `s.${id.own}.${id.common}`
}

/** Undefined for ids that this server did not format. */
export function parseEventId(text: string): CallEventId | StreamEventId | undefined {
  const [, node, call, sequence] = CALL.exec(text) ?? []
  if (node !== undefined) {
    return { kind: 'call', node, call: Number(call), sequence: Number(sequence) }
  }
  const [, own, common] = STREAM.exec(text) ?? []
  return own !== undefined && common !== undefined ? { kind: 'stream', own, common } : undefined
}

/** The open streams of this node, which a graceful shutdown ends. */
export type OpenStreams = ReturnType<typeof createOpenStreams>

export function createOpenStreams(sessionEnds: SessionEnds) {
  const streams = new Set<EventStream>()
  let released = false

  return {
    /**
     * Adds a stream; ends it at once if the node is shutting down. A stream that was opened with a
     * token ends with the token's session; `SessionEnds.watch` defines `isBusy`.
     */
    add(
      events: EventStream,
      owner: TokenSession | undefined,
      isBusy?: () => Promise<boolean>,
    ): void {
      if (released) {
        events.endForReconnection()
        return
      }
      streams.add(events)
      events.onClose(() => streams.delete(events))
      if (owner === undefined) return
      events.onClose(sessionEnds.watch(owner, () => events.end(), isBusy))
    },
    /** Ends all streams; clients reconnect to another node. */
    release(): void {
      released = true
      for (const events of [...streams]) events.endForReconnection()
    },
  }
}

/** Notifies readers on this node that a stream has new entries, from any node. */
export type StreamNotifier = ReturnType<typeof createStreamNotifier>

export function createStreamNotifier(node: ClusterNode) {
  const listeners = new Map<string, Set<() => void>>()

  function notify(stream: string): void {
    for (const listener of [...(listeners.get(stream) ?? [])]) listener()
  }

  node.onMessage((message) => {
    if (message.kind === 'news') notify(message.stream)
  })
  return {
    /** Notifies the readers after a write on this node. */
    notify,
    /** Subscribes to a stream. Returns the function that unsubscribes. */
    on(stream: string, listener: () => void): () => void {
      const known = listeners.get(stream) ?? new Set()
      listeners.set(stream, known.add(listener))
      return () => {
        known.delete(listener)
        if (known.size === 0) listeners.delete(stream)
      }
    },
  }
}
