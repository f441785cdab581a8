/**
 * One process among those that share a store: how it hears from the others, and they from it. Three
 * streams, read by one blocking reader, carry news between nodes; what clients receive is elsewhere.
 */

import { randomBytes } from 'node:crypto'
import type { JSONRPCMessage, ServerEvent } from '@modelcontextprotocol/server'
import type { Logger } from '../../logger.ts'
import type { Store } from '../../store/port.ts'
import type { Follower, StreamEntry, Streams } from '../../store/streams.ts'
import { retryWrite } from './retry-write.ts'

/** For one node. */
export type NodeMessage =
  /** A client said something about a request that this node sent. */
  | {
      readonly kind: 'answer'
      readonly connectionId: string
      readonly wireId: string
      readonly message: JSONRPCMessage
    }
  /** Another node serves a reader of a stream that is written here, and wants to hear of news. */
  | { readonly kind: 'watch'; readonly stream: string; readonly by: string }
  /** There is more in a stream that is read here. */
  | { readonly kind: 'news'; readonly stream: string }

/** For all nodes: what must take effect wherever it applies. */
export type Control =
  | {
      readonly kind: 'cancel'
      readonly connectionId: string
      readonly requestId: string | number
      readonly reason: string
    }
  | { readonly kind: 'connection_ended'; readonly connectionId: string }
  /** A session has ended, or one grant of it: what they opened ends. Unix time in milliseconds. */
  | {
      readonly kind: 'session_ended'
      readonly sessionId: string
      readonly grantId?: string
      readonly at: number
    }
  /** Another node holds the connection's GET stream from now on. */
  | { readonly kind: 'stream_taken'; readonly connectionId: string; readonly generation: number }

/** A change that clients asked to hear of, with its place in the log. */
export interface LoggedEvent {
  readonly id: string
  readonly event: ServerEvent
}

export interface ClusterNode {
  /** Random for each start, so that nothing meant for an earlier process reaches this one. */
  readonly id: string
  /**
   * `tell`, `control` and `publish` throw RangeError for more than 8 KiB, an answer for more than
   * 256 KiB: what they write is bounded.
   */
  send(nodeId: string, message: NodeMessage): Promise<void>
  broadcast(control: Control): Promise<void>
  /** The same for what has happened already: later, where the store does not take it now. Never fails. */
  broadcastWithRetry(control: Control): Promise<void>
  publish(event: ServerEvent): Promise<void>
  /** Whether a node still shows signs of life. In doubt it does: others are not blamed for a store that was away. */
  isAlive(nodeId: string): Promise<boolean>
  onMessage(listener: (message: NodeMessage) => void): void
  onControl(listener: (control: Control) => void): void
  /** Returns the function that stops listening. */
  onEvent(listener: (event: LoggedEvent) => void): () => void
  /** Events after an id of the log, and the log's present end when no id is given. */
  eventsAfter(id: string): Promise<readonly LoggedEvent[]>
  lastEventId(): Promise<string>
  close(): Promise<void>
}

/** One hash tag for all of them, so that a Redis Cluster lets one command read all three. */
const BUS = '{nodes}:bus'
const CONTROL = '{nodes}:control'
const inboxOf = (nodeId: string) => `{nodes}:inbox:${nodeId}`
const heartbeatOf = (nodeId: string) => `{nodes}:heartbeat:${nodeId}`

const KIB = 1024
const MIB = 1024 * KIB

/** Of the text of a message, before it is sealed. */
const LARGEST_MESSAGE_BYTES = 8 * KIB
export const LARGEST_ANSWER_BYTES = 256 * KIB
/** What an answer is wrapped in. */
const ENVELOPE_BYTES = KIB

interface Bounds {
  readonly maxLength: number
  readonly maxBytes: number
  readonly ttlSeconds: number
}

const BUS_BOUNDS = { maxLength: 10_000, maxBytes: 4 * MIB, ttlSeconds: 3600 }
const CONTROL_BOUNDS = { maxLength: 10_000, maxBytes: 4 * MIB, ttlSeconds: 600 }
/** Nobody reads it again: the node it is for trims what it has read. */
const INBOX_BOUNDS = { maxLength: 10_000, maxBytes: 16 * MIB, ttlSeconds: 60 }
const TRIM_EVERY_MS = 1000

const BEAT_MS = 1500
/** A node that missed three beats is taken for dead. */
const HEARTBEAT_SECONDS = 5

export interface ClusterNodeDeps {
  readonly store: Store
  readonly streams: Streams
  readonly log: Logger
}

/** Joins the nodes of a store. Resolves when it listens. */
export async function joinCluster({ store, streams, log }: ClusterNodeDeps): Promise<ClusterNode> {
  const id = randomBytes(6).toString('hex')
  const inbox = inboxOf(id)
  const letters = new Set<(message: NodeMessage) => void>()
  const controls = new Set<(control: Control) => void>()
  const events = new Set<(event: LoggedEvent) => void>()

  const trimming = createTrimming({ streams, log }, inbox)
  const listenersOf = (key: string) => (key === inbox ? letters : controls)
  const onEntry = (key: string, entry: StreamEntry) => {
    if (key === inbox) trimming.hasRead(entry.id)
    const value = JSON.parse(entry.value)
    if (key === BUS) notifyAll(events, { id: entry.id, event: value as ServerEvent })
    else notifyAll(listenersOf(key) as Set<(value: unknown) => void>, value)
  }
  const follower: Follower = await streams.follow([inbox, CONTROL, BUS], onEntry)

  /** When a heartbeat of ours failed for the last time: those of others did then, too. */
  let failedAt = Number.NEGATIVE_INFINITY
  const beat = () =>
    store.set(heartbeatOf(id), { since: Date.now() }, HEARTBEAT_SECONDS).catch((error: unknown) => {
      failedAt = performance.now()
      log.debug({ err: error }, 'heartbeat missed')
    })
  const beating = setInterval(beat, BEAT_MS)
  await beat()

  const append = createAppend(streams)
  const broadcast = (control: Control) =>
    append(CONTROL, control, CONTROL_BOUNDS, LARGEST_MESSAGE_BYTES)

  return {
    id,
    send: (nodeId, message) => append(inboxOf(nodeId), message, INBOX_BOUNDS, largest(message)),
    broadcast,
    broadcastWithRetry: (control) =>
      broadcast(control).catch((error: unknown) => {
        log.warn({ err: error, kind: control.kind }, 'broadcast failed; retrying')
        // Applies here without waiting for the store; a duplicate changes nothing.
        notifyAll(controls, control)
        void retryWrite(() => broadcast(control), CONTROL_BOUNDS.ttlSeconds)
      }),
    publish: (event) => append(BUS, event, BUS_BOUNDS, LARGEST_MESSAGE_BYTES),
    async isAlive(nodeId) {
      // Whoever asks is, even if it was held up for so long that its heartbeat expired.
      if (nodeId === id) return true
      if ((await store.get(heartbeatOf(nodeId))) !== undefined) return true
      return performance.now() - failedAt < HEARTBEAT_SECONDS * 1000
    },
    onMessage: (listener) => void letters.add(listener),
    onControl: (listener) => void controls.add(listener),
    onEvent(listener) {
      events.add(listener)
      return () => events.delete(listener)
    },
    async eventsAfter(after) {
      const entries = await streams.read(BUS, after)
      return entries.map((entry) => ({ id: entry.id, event: JSON.parse(entry.value) }))
    },
    lastEventId: () => streams.last(BUS),
    async close() {
      clearInterval(beating)
      trimming.stop()
      await follower.close()
      await store.delete(heartbeatOf(id)).catch(() => undefined)
    },
  }
}

/** @throws RangeError for a message of more than `most` bytes */
function createAppend(streams: Streams) {
  return async (key: string, value: unknown, bounds: Bounds, most: number): Promise<void> => {
    const text = JSON.stringify(value)
    if (Buffer.byteLength(text) > most) {
      throw new RangeError(`A message between nodes may have ${most} bytes.`)
    }
    await streams.append(key, text, bounds)
  }
}

function largest(message: NodeMessage): number {
  const isAnswer = message.kind === 'answer' && !('method' in message.message)
  return isAnswer ? LARGEST_ANSWER_BYTES + ENVELOPE_BYTES : LARGEST_MESSAGE_BYTES
}

/** Trims an inbox behind its reader, at an interval: reading costs the store no command more. */
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
