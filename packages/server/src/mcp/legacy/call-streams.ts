/**
 * The event log of a call: notifications, then the response. Each event goes to the client and into
 * the store, so that any node can replay the log to a client that lost its connection.
 */

import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server'
import type { Logger } from '../../logger.ts'
import {
  entryBytes,
  STREAM_OVERHEAD,
  type StorageBudget,
  UNLIMITED,
} from '../../store/storage-budget.ts'
import type { Streams } from '../../store/streams.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'
import { createLateAnswers } from '../nodes/retry-write.ts'
import {
  createEventStream,
  type EventStream,
  formatEventId,
  type StreamNotifier,
  takesEmptyEvents,
} from './event-stream.ts'
import { type McpSessionRecord, mcpSessionKey } from './mcp-session-record.ts'
import { lostAnswer } from './running-calls.ts'

/** One entry of a call's event log: first a start marker, then messages, then the end. */
export type CallEntry = EntryBody & {
  /** In the first entry; repeated in later ones, because a long log is trimmed at its start. */
  readonly requestId?: RequestId
}

type EntryBody = { readonly message?: JSONRPCMessage } | CallEnd

/** Contains the response, so that writing response and end is atomic. */
export type CallEnd =
  | { readonly end: 'answered'; readonly message: JSONRPCMessage }
  | { readonly end: 'cancelled'; readonly message?: never }

/** Bounds of the event log: how many events of a call can be replayed, and for how long. */
export const CALL_STREAM_BOUNDS = { maxLength: 1000, maxBytes: 4 * 1024 * 1024, ttlSeconds: 600 }

/**
 * How often `requestId` is repeated: a trimmed log still contains it, but not every entry pays for
 * it. A character may have three bytes, and a third more sealed; half of the bytes may be trimmed.
 */
const REQUEST_ID_INTERVAL = {
  entries: CALL_STREAM_BOUNDS.maxLength / 2,
  characters: CALL_STREAM_BOUNDS.maxBytes / 16,
}

export interface CallStream {
  readonly events: EventStream
  write(message: JSONRPCMessage): void
  /** Ends the client's stream once all its events can be replayed; the call goes on. */
  closeStream(): Promise<void>
  /** Writes the end. A cancelled call cannot be resumed: its client has dropped it. */
  end(end: CallEnd): void
}

export interface CallStreamDeps {
  readonly node: ClusterNode
  readonly streams: Streams
  readonly notifier: StreamNotifier
  readonly log: Logger
}

/** The key of a call's event log; the hash tag keeps it in the Redis slot of its MCP session. */
export function callStreamKey(mcpSessionId: string, node: string, call: number): string {
  return `{${mcpSessionId}}:call:${node}.${call}`
}

export type CallStreams = ReturnType<typeof createCallStreams>

export function createCallStreams(deps: CallStreamDeps) {
  const { node } = deps
  const writeEnd = createEndWriter(deps.log)
  const readers = createStreamReaders(deps)
  let calls = 0

  /**
   * Opens the stream of a call. Calls `fenced` if another node has declared this call dead, and
   * `disconnect` to close the connection of a client that does not read.
   */
  function open(
    { id: mcpSessionId, protocolVersion }: McpSessionRecord,
    requestId: RequestId,
    fenced: () => void,
    storage = UNLIMITED,
    disconnect?: () => void,
  ): CallStream {
    calls += 1
    const call = calls
    const key = callStreamKey(mcpSessionId, node.id, call)
    const events = createEventStream(disconnect)
    const onStored = (isStored: boolean) => (isStored ? readers.notify(key) : fenced())
    const target = { key, onlyIf: mcpSessionKey(mcpSessionId), requestId, storage }
    const eventLog = new EventLog(deps, target, onStored)
    readers.begin(key)

    const eventId = (sequence: number) =>
      formatEventId({ kind: 'call', node: node.id, call, sequence })
    const append = (body: EntryBody) => eventId(eventLog.append(body))

    const first = append({})
    if (takesEmptyEvents(protocolVersion)) events.prime(first)
    return {
      events,
      write: (message) => events.write(message, append({ message })),
      async closeStream() {
        if ((await eventLog.isReplayable()) && events.isOpen) events.endForReconnection()
      },
      end(end) {
        const { sequence, write } = eventLog.reserveEnd()
        const lost: CallEnd = { end: 'answered', message: lostAnswer(requestId) }
        if (end.message !== undefined) events.write(end.message, eventId(sequence))
        events.end()
        void writeEnd(write, end, lost).finally(() => readers.finish(key))
      },
    }
  }

  return { open }
}

/** Notifies the readers of the streams that this node writes, on any node. */
function createStreamReaders({ node, notifier, log }: CallStreamDeps) {
  /** Ids of the nodes that follow a stream, by stream. */
  const watchers = new Map<string, Set<string>>()

  function notifyNode(nodeId: string, stream: string): void {
    node
      .send(nodeId, { kind: 'news', stream })
      .catch((error: unknown) => log.debug({ err: error }, 'stream notification failed'))
  }

  node.onMessage((message) => {
    if (message.kind !== 'watch') return
    const known = watchers.get(message.stream)
    if (known?.has(message.by)) return
    known?.add(message.by)
    // Notifies at once: the stream may have new entries, or its end, from before the message came.
    notifyNode(message.by, message.stream)
  })

  return {
    begin: (stream: string) => void watchers.set(stream, new Set()),
    notify(stream: string): void {
      notifier.notify(stream)
      for (const watcher of watchers.get(stream) ?? []) notifyNode(watcher, stream)
    },
    finish: (stream: string) => watchers.delete(stream),
  }
}

/** Writes the end of a call; retries if the store fails, or resumed clients would wait in vain. */
function createEndWriter(log: Logger) {
  const writeLate = createLateAnswers<CallEnd>(CALL_STREAM_BOUNDS.ttlSeconds)
  // Not async: its frame would retain a large response that `writeLate` may have dropped.
  return (
    write: (end: CallEnd) => Promise<unknown>,
    end: CallEnd,
    lost: CallEnd,
  ): Promise<unknown> =>
    write(end).catch((error: unknown) => {
      log.warn({ err: error }, 'end of a call not stored; retrying')
      return writeLate(end, lost, write)
    })
}

interface EventLogTarget {
  readonly key: string
  /** The key of the MCP session: without it, nothing is written. */
  readonly onlyIf: string
  readonly requestId: RequestId
  readonly storage: StorageBudget
}

/**
 * Appends the events of a call in order. `onStored` receives false if another node has fenced the
 * call.
 */
class EventLog {
  readonly #deps: CallStreamDeps
  readonly #target: EventLogTarget
  readonly #onStored: (isStored: boolean) => void
  #sequence = 0
  #isWithinBudget = true
  /** Sequence number of the last stored entry with a `requestId`, and the characters since. */
  #namedAt = Number.NEGATIVE_INFINITY
  #charactersSince = 0
  #replayable = Promise.resolve(true)

  constructor(deps: CallStreamDeps, target: EventLogTarget, onStored: (isStored: boolean) => void) {
    this.#deps = deps
    this.#target = target
    this.#onStored = onStored
  }

  /** Returns the sequence number of the event, which is stored in the background. */
  append(body: EntryBody): number {
    this.#sequence += 1
    const storing = this.#write(body, this.#sequence).catch((error: unknown) => {
      this.#deps.log.warn({ err: error }, 'event not stored; it cannot be replayed')
      return false
    })
    const all = Promise.all([this.#replayable, storing])
    this.#replayable = all.then((stored) => !stored.includes(false))
    return this.#sequence
  }

  /** Reserves the sequence number of the end, which may be written later. */
  reserveEnd() {
    this.#sequence += 1
    const at = this.#sequence
    return { sequence: at, write: (end: CallEnd) => this.#write(end, at) }
  }

  /** Whether all events so far can be replayed. */
  isReplayable(): Promise<boolean> {
    return this.#replayable
  }

  /** Explicit sequence numbers avoid a round trip before sending, and act as fencing tokens. */
  async #write(body: EntryBody, at: number): Promise<boolean> {
    const { key, onlyIf, requestId, storage } = this.#target
    // The client still gets the event; beyond an unauthenticated caller's budget it has no replay.
    if (at === 1) this.#isWithinBudget = !storage.isSpent()
    if (!this.#isWithinBudget || (storage.isSpent() && !('end' in body))) return false
    if (storage.isSpent()) body = { end: 'answered', message: lostAnswer(requestId) }
    const isNamed =
      at - this.#namedAt >= REQUEST_ID_INTERVAL.entries ||
      this.#charactersSince >= REQUEST_ID_INTERVAL.characters
    const text = JSON.stringify(isNamed ? { requestId, ...body } : body)
    this.#charactersSince += text.length
    if (storage !== UNLIMITED) storage.charge(entryBytes(text) + (at === 1 ? STREAM_OVERHEAD : 0))
    const options = { ...CALL_STREAM_BOUNDS, sequence: at, onlyIf }
    const isStored = (await this.#deps.streams.append(key, text, options)) !== undefined
    if (isStored && isNamed) {
      this.#namedAt = Math.max(this.#namedAt, at)
      this.#charactersSince = 0
    }
    this.#onStored(isStored)
    return isStored
  }
}
