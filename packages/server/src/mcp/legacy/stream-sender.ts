/**
 * Sends the stream of an MCP session: change events of the common log, and the messages of its own
 * log. Positions in both logs are all that a stream holds: for a client that reads slowly, nothing is
 * queued but the events that its buffer takes.
 */

import type { JSONRPCMessage, JSONRPCNotification, ServerEvent } from '@modelcontextprotocol/server'
import type { Logger } from '../../logger.ts'
import { isAfter, STREAM_START } from '../../store/stream-ids.ts'
import type { Streams } from '../../store/streams.ts'
import type { ClusterNode, LoggedEvent } from '../nodes/cluster-node.ts'
import {
  type EventStream,
  formatEventId,
  type StreamEventId,
  type StreamNotifier,
  takesEmptyEvents,
} from './event-stream.ts'
import { type McpSession, ownStreamKey } from './mcp-session-record.ts'
import type { McpSessions } from './mcp-sessions.ts'

export interface StreamSenderDeps {
  readonly node: ClusterNode
  readonly streams: Streams
  readonly notifier: StreamNotifier
  readonly mcpSessions: Pick<McpSessions, 'retrieve'>
  readonly log: Logger
}

export interface SendingOptions {
  readonly endpoint?: EndpointEvent
  /** Receives the state of the MCP session: initially, and after each read of its stream. */
  readonly onMcpSession?: (mcpSession: McpSession | undefined) => void
}

/** The first event of an HTTP+SSE stream (2024-11-05, basic/transports). */
interface EndpointEvent {
  readonly url: string
  /** Prefix of all event ids: `Last-Event-ID` then names the MCP session as well. */
  readonly idPrefix: string
}

/** A stream that follows the logs. */
export interface Sending {
  /** False while messages of the logs wait for the client: a direct write would precede them. */
  readonly isCaughtUp: () => boolean
  readonly stop: () => void
}

/** Retry delay after a failed read: the next notification may come much later. */
const READ_RETRY_MS = 1000

/**
 * Replays the events after `after`, then follows the logs.
 * @throws AppError `unavailable`
 */
export async function startSending(
  deps: StreamSenderDeps,
  mcpSession: McpSession,
  after: StreamEventId | undefined,
  events: EventStream,
  options: SendingOptions,
): Promise<Sending> {
  const { node, notifier } = deps
  const logs = await createLogReaders(deps, mcpSession, after, events, options)
  const sender = new StreamSender(logs, events, deps.log)
  // Subscribes before the replay, or events in between would be lost; they are sent after it.
  const stops = [
    node.onEvent(sender.onEvent),
    notifier.on(ownStreamKey(mcpSession.id), sender.readOwn),
    sender.stop,
  ]
  const stop = () => {
    for (const each of stops) each()
  }
  logs.begin()
  try {
    await sender.replay()
  } catch (error) {
    stop()
    throw error
  }
  sender.readOwn()
  return { isCaughtUp: sender.isCaughtUp, stop }
}

/**
 * Serializes reads and writes: no event is sent twice or out of order, and an update that follows a
 * subscription finds the subscription.
 */
class StreamSender {
  readonly #logs: LogReaders
  readonly #events: EventStream
  readonly #log: Logger
  #sending: Promise<unknown> = Promise.resolve()
  #retryTimer: NodeJS.Timeout | undefined
  #isReadQueued = false
  /** Change events are skipped until the log is read again: the client has not read yet. */
  #isBehind = false
  /** The stream was full before the end of the MCP session's own log. */
  #isWaiting = false

  constructor(logs: LogReaders, events: EventStream, log: Logger) {
    this.#logs = logs
    this.#events = events
    this.#log = log
  }

  readonly isCaughtUp = (): boolean => !(this.#isBehind || this.#isWaiting || this.#isReadQueued)

  /** Sends past change events. Nobody reads the stream yet: what does not fit is sent later. */
  async replay(): Promise<void> {
    const replaying = this.#logs.sendEvents()
    this.#sending = replaying.catch(() => undefined)
    if (await replaying) return
    this.#isBehind = true
    this.#enqueue(() => this.#catchUp())
  }

  readonly onEvent = (event: LoggedEvent): void => {
    if (this.#isBehind) return
    this.#isBehind = this.#events.isFull || this.#isWaiting
    this.#enqueue(() =>
      this.#isBehind || this.#events.isFull ? this.#catchUp() : this.#logs.sendEvent(event),
    )
  }

  readonly readOwn = (): void => {
    if (this.#isReadQueued) return
    this.#isReadQueued = true
    this.#enqueue(async () => {
      this.#isReadQueued = false
      while (this.#events.isOpen && !(await this.#logs.sendOwn())) {
        this.#isWaiting = true
        await this.#events.drained()
      }
      this.#isWaiting = false
    })
  }

  readonly stop = (): void => clearTimeout(this.#retryTimer)

  async #catchUp(): Promise<void> {
    this.#isBehind = true
    while (this.#isBehind && this.#events.isOpen) {
      await this.#events.drained()
      // Before the read: an event that comes meanwhile is sent after it, or read by it.
      this.#isBehind = false
      try {
        // `onEvent` may have skipped events meanwhile: only the next read finds them.
        if (!(await this.#logs.sendEvents())) this.#isBehind = true
      } catch (error) {
        this.#isBehind = true
        throw error
      }
    }
  }

  #enqueue(task: () => void | Promise<void>): void {
    this.#sending = this.#sending.then(task).catch((error: unknown) => {
      this.#log.warn({ err: error }, 'stream of the MCP session not read')
      clearTimeout(this.#retryTimer)
      if (this.#events.isOpen) {
        this.#retryTimer = setTimeout(() => this.#readAgain(), READ_RETRY_MS)
      }
    })
  }

  #readAgain(): void {
    if (this.#isBehind) this.#enqueue(() => this.#catchUp())
    this.readOwn()
  }
}

type LogReaders = Awaited<ReturnType<typeof createLogReaders>>

/** Writes to a stream what the logs have after its read positions. */
async function createLogReaders(
  { node, streams, mcpSessions }: StreamSenderDeps,
  mcpSession: McpSession,
  after: StreamEventId | undefined,
  events: EventStream,
  { endpoint, onMcpSession }: SendingOptions,
) {
  const key = ownStreamKey(mcpSession.id)
  const isFirst = mcpSession.generation === 1
  let own = after?.own ?? (isFirst ? STREAM_START : await streams.last(key))
  let common = after?.common ?? (await node.lastEventId())
  let { subscriptions } = mcpSession
  const prefix = endpoint?.idPrefix ?? ''
  const eventId = () => prefix + formatEventId({ kind: 'stream', own, common })

  function sendEvent({ id, event }: LoggedEvent): void {
    if (!isAfter(id, common)) return
    common = id
    const notification = notificationOf(event, subscriptions)
    if (notification !== undefined) events.write(notification, eventId())
  }

  return {
    /** Writes the first event, which gives the client an id to resume from, or a comment. */
    begin(): void {
      if (endpoint !== undefined) events.writeEndpoint(endpoint.url, eventId())
      else if (takesEmptyEvents(mcpSession.protocolVersion)) events.prime(eventId())
      else events.comment()
    },
    /** Sends a change event of the common log. */
    sendEvent,
    /** Sends the new events of the common log. Returns false if the stream is full before the end. */
    async sendEvents(): Promise<boolean> {
      for (const event of await node.eventsAfter(common)) {
        if (events.isFull) return false
        sendEvent(event)
      }
      return true
    },
    /**
     * Sends the new messages of the MCP session's own log, and reads its subscriptions. Returns false
     * if the stream is full before the end.
     */
    async sendOwn(): Promise<boolean> {
      for (const entry of await streams.read(key, own)) {
        if (events.isFull) return false
        own = entry.id
        events.write(JSON.parse(entry.value) as JSONRPCMessage, eventId())
      }
      const latest = await mcpSessions.retrieve(mcpSession.id)
      subscriptions = latest?.subscriptions ?? []
      onMcpSession?.(latest)
      return true
    },
  }
}

function notificationOf(
  event: ServerEvent,
  subscriptions: readonly string[],
): JSONRPCNotification | undefined {
  if (event.kind !== 'resource_updated') {
    const list = event.kind.split('_')[0]
    return { jsonrpc: '2.0', method: `notifications/${list}/list_changed` }
  }
  if (!subscriptions.includes(event.uri)) return undefined
  const params = { uri: event.uri }
  return { jsonrpc: '2.0', method: 'notifications/resources/updated', params }
}
