/**
 * Sends the stream of an MCP session as its logs grow, in order and as fast as the client reads: of
 * a client that reads slowly, nothing is queued but the events that its buffer takes.
 */

import type { Logger } from '../../logger.ts'
import type { LoggedEvent } from '../nodes/cluster-node.ts'
import type { EventStream, StreamEventId, StreamNotifier } from './event-stream.ts'
import { type McpSession, ownStreamKey } from './mcp-session-record.ts'
import {
  openStreamLogs,
  type StreamLogDeps,
  type StreamLogs,
  type StreamOptions,
} from './stream-logs.ts'

export interface StreamSenderDeps extends StreamLogDeps {
  readonly notifier: StreamNotifier
  readonly log: Logger
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
  options: StreamOptions,
): Promise<Sending> {
  const { node, notifier } = deps
  const logs = await openStreamLogs(deps, mcpSession, after, events, options)
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
  readonly #logs: StreamLogs
  readonly #events: EventStream
  readonly #log: Logger
  #sending: Promise<unknown> = Promise.resolve()
  #retryTimer: NodeJS.Timeout | undefined
  #isReadQueued = false
  /** Change events are skipped until the log is read again: the client has not read yet. */
  #isBehind = false
  /** The stream was full before the end of the MCP session's own log. */
  #isWaiting = false

  constructor(logs: StreamLogs, events: EventStream, log: Logger) {
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
