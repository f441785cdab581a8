/**
 * Messaging between the nodes that share a store (pub/sub on streams): an inbox for each node, a
 * control broadcast and an event bus, read by one blocking reader; and heartbeats, by which nodes
 * detect a crashed one. Messages for clients are in other streams.
 */

import { randomBytes } from 'node:crypto'
import type { JSONRPCMessage, ServerEvent } from '@modelcontextprotocol/server'
import type { Logger } from '../../logger.ts'
import type { Store } from '../../store/port.ts'
import type { Follower, StreamEntry, Streams } from '../../store/streams.ts'
import { startHeartbeat } from './heartbeat.ts'
import { retryWrite } from './retry-write.ts'

/** A message to one node. */
export type NodeMessage =
  /** A client's response to a request that this node sent, or progress of it. */
  | {
      readonly kind: 'answer'
      readonly connectionId: string
      readonly wireId: string
      readonly message: JSONRPCMessage
    }
  /** Another node follows a stream that this node writes, and asks for notifications. */
  | { readonly kind: 'watch'; readonly stream: string; readonly by: string }
  /** A stream that this node reads has new entries. */
  | { readonly kind: 'news'; readonly stream: string }

/** A broadcast to all nodes. */
export type Control =
  | {
      readonly kind: 'cancel'
      readonly connectionId: string
      readonly requestId: string | number
      readonly reason: string
    }
  | { readonly kind: 'connection_ended'; readonly connectionId: string }
  /** A session or one of its grants has ended: ends its streams. Unix time in milliseconds. */
  | {
      readonly kind: 'session_ended'
      readonly sessionId: string
      readonly grantId?: string
      readonly at: number
    }
  /**
   * An operator has blocked, unblocked or ended access. `id` is unique: one node writes it to the
   * audit log.
   */
  | { readonly kind: 'access_changed'; readonly id: string; readonly change: AccessChange }
  /** A node has taken over the MCP session's GET stream; holders of older generations close it. */
  | { readonly kind: 'stream_taken'; readonly connectionId: string; readonly generation: number }

/** A change of access by an operator, for the audit log. */
export interface AccessChange {
  readonly action: 'block' | 'unblock' | 'end'
  readonly client?: string
  /** A hash, or the subject with `AUDIT_SUBJECT=subject`. */
  readonly person?: string
  readonly tool?: string
  readonly reason: string
  /** The operator. */
  readonly by: string
}

/** A change event that clients can subscribe to, with its id in the log. */
export interface LoggedEvent {
  readonly id: string
  readonly event: ServerEvent
}

export type ClusterNode = Awaited<ReturnType<typeof joinCluster>>

/** One hash tag for all three, so that a Redis Cluster can read them with one command. */
const BUS = '{nodes}:bus'
const CONTROL = '{nodes}:control'
const inboxOf = (nodeId: string) => `{nodes}:inbox:${nodeId}`

const KIB = 1024
const MIB = 1024 * KIB

/** Limit of a message's text, before it is sealed. */
const LARGEST_MESSAGE_BYTES = 8 * KIB
export const LARGEST_ANSWER_BYTES = 256 * KIB
/** Allowance for the envelope around a response. */
const ENVELOPE_BYTES = KIB

interface Bounds {
  readonly maxLength: number
  readonly maxBytes: number
  readonly ttlSeconds: number
}

const BUS_BOUNDS = { maxLength: 10_000, maxBytes: 4 * MIB, ttlSeconds: 3600 }
const CONTROL_BOUNDS = { maxLength: 10_000, maxBytes: 4 * MIB, ttlSeconds: 600 }
/** Inboxes are not replayed: the receiving node trims the entries that it has read. */
const INBOX_BOUNDS = { maxLength: 10_000, maxBytes: 16 * MIB, ttlSeconds: 60 }
const TRIM_EVERY_MS = 1000

export interface ClusterNodeDeps {
  readonly store: Store
  readonly streams: Streams
  readonly log: Logger
  /** Monotonic time in milliseconds. */
  readonly monotonicNow: () => number
}

/** Joins the nodes that share a store. Resolves once the node receives messages. */
export async function joinCluster({ store, streams, log, monotonicNow }: ClusterNodeDeps) {
  const id = randomBytes(6).toString('hex')
  const inbox = inboxOf(id)
  const { deliver, notifyOfControl, ...subscribing } = createListeners(inbox)
  const trimming = createTrimming({ streams, log }, inbox)
  const onEntry = (key: string, entry: StreamEntry) => {
    if (key === inbox) trimming.hasRead(entry.id)
    deliver(key, entry)
  }
  const follower: Follower = await streams.follow([inbox, CONTROL, BUS], onEntry)
  const heartbeat = await startHeartbeat({ store, log, monotonicNow }, id)

  return {
    /** Random for each start, so that no message to an earlier process reaches this one. */
    id,
    ...createSending({ streams, log }, notifyOfControl),
    ...subscribing,
    /** Whether a node's heartbeat is live. True in doubt: missing beats may be a store outage. */
    isAlive: (nodeId: string): Promise<boolean> => heartbeat.isAlive(nodeId),
    /** Events after an id of the log; `lastEventId` returns the current end of the log. */
    async eventsAfter(after: string): Promise<readonly LoggedEvent[]> {
      const entries = await streams.read(BUS, after)
      return entries.map((entry) => ({ id: entry.id, event: JSON.parse(entry.value) }))
    },
    lastEventId: (): Promise<string> => streams.last(BUS),
    async close(): Promise<void> {
      heartbeat.stop()
      trimming.stop()
      await follower.close()
      await heartbeat.forget()
    },
  }
}

/** The listeners to what a node reads. */
function createListeners(inbox: string) {
  const messages = new Set<(message: NodeMessage) => void>()
  const controls = new Set<(control: Control) => void>()
  const events = new Set<(event: LoggedEvent) => void>()

  return {
    deliver(key: string, entry: StreamEntry): void {
      const value = JSON.parse(entry.value)
      if (key === BUS) notifyAll(events, { id: entry.id, event: value as ServerEvent })
      else if (key === inbox) notifyAll(messages, value as NodeMessage)
      else notifyAll(controls, value as Control)
    },
    notifyOfControl: (control: Control): void => notifyAll(controls, control),
    onMessage: (listener: (message: NodeMessage) => void) => void messages.add(listener),
    onControl: (listener: (control: Control) => void) => void controls.add(listener),
    /** Subscribes to events. Returns the function that unsubscribes. */
    onEvent(listener: (event: LoggedEvent) => void): () => void {
      events.add(listener)
      return () => events.delete(listener)
    },
  }
}

/** Writes to the streams of the nodes. `notifyOfControl` applies a broadcast on this node. */
function createSending(
  { streams, log }: Pick<ClusterNodeDeps, 'streams' | 'log'>,
  notifyOfControl: (control: Control) => void,
) {
  const append = createAppend(streams)
  const broadcast = (control: Control): Promise<void> =>
    append(CONTROL, control, CONTROL_BOUNDS, LARGEST_MESSAGE_BYTES)

  return {
    /**
     * `send`, `broadcast` and `publish` throw a RangeError for messages above 8 KiB; the limit of a
     * client's response is 256 KiB.
     */
    send: (nodeId: string, message: NodeMessage): Promise<void> =>
      append(inboxOf(nodeId), message, INBOX_BOUNDS, largest(message)),
    broadcast,
    /** Broadcasts a fact: retries with back-off if the store fails. Idempotent; never rejects. */
    broadcastWithRetry: (control: Control): Promise<void> =>
      broadcast(control).catch((error: unknown) => {
        log.warn({ err: error, kind: control.kind }, 'broadcast failed; retrying')
        // Applies locally at once; handlers are idempotent, so the retried duplicate is harmless.
        notifyOfControl(control)
        void retryWrite(() => broadcast(control), CONTROL_BOUNDS.ttlSeconds)
      }),
    publish: (event: ServerEvent): Promise<void> =>
      append(BUS, event, BUS_BOUNDS, LARGEST_MESSAGE_BYTES),
  }
}

/** @throws RangeError for a message above `most` bytes */
function createAppend(streams: Streams) {
  return async (key: string, value: unknown, bounds: Bounds, most: number): Promise<void> => {
    const text = JSON.stringify(value)
    if (Buffer.byteLength(text) > most) {
      throw new RangeError(`A message between nodes exceeds the limit of ${most} bytes.`)
    }
    await streams.append(key, text, bounds)
  }
}

function largest(message: NodeMessage): number {
  const isAnswer = message.kind === 'answer' && !('method' in message.message)
  return isAnswer ? LARGEST_ANSWER_BYTES + ENVELOPE_BYTES : LARGEST_MESSAGE_BYTES
}

/** Trims an inbox behind its reader at an interval, so that reads cost no extra store command. */
function createTrimming({ streams, log }: Pick<ClusterNodeDeps, 'streams' | 'log'>, inbox: string) {
  let read: string | undefined
  const timer = setInterval(() => {
    const upTo = read
    if (upTo === undefined) return
    read = undefined
    streams.trim(inbox, upTo).catch((error: unknown) => {
      read ??= upTo
      log.debug({ err: error }, 'inbox not trimmed')
    })
  }, TRIM_EVERY_MS)
  return {
    hasRead(id: string): void {
      read = id
    },
    stop: () => clearInterval(timer),
  }
}

function notifyAll<T>(listeners: ReadonlySet<(value: T) => void>, value: T): void {
  for (const listener of [...listeners]) listener(value)
}
