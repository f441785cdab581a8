/**
 * The GET streams that this node holds (2025-11-25, basic/transports, "Listening for Messages from
 * the Server"). The newest GET of an MCP session wins: the older one may be a dead socket.
 */

import type { JSONRPCMessage, JSONRPCNotification, ServerEvent } from '@modelcontextprotocol/server'
import type { Logger } from '../../logger.ts'
import { isAfter, STREAM_START } from '../../store/stream-ids.ts'
import type { Streams } from '../../store/streams.ts'
import type { Limits, Release } from '../limits.ts'
import type { ClusterNode, LoggedEvent } from '../nodes/cluster-node.ts'
import type { TokenSession } from '../nodes/session-ends.ts'
import {
  createEventStream,
  type EventStream,
  formatEventId,
  type OpenStreams,
  type StreamEventId,
  type StreamNotifier,
  takesEmptyEvents,
} from './event-stream.ts'
import { type McpSession, type McpSessionRecord, ownStreamKey } from './mcp-session-record.ts'
import type { McpSessions } from './mcp-sessions.ts'

export interface HeldStreamDeps {
  readonly node: ClusterNode
  readonly streams: Streams
  readonly notifier: StreamNotifier
  readonly mcpSessions: McpSessions
  readonly limits: Limits
  readonly openStreams: OpenStreams
  /** TTL of an unused MCP session, after its stream is closed. */
  readonly unusedTtlSeconds: number
  readonly log: Logger
}

export interface HeldOptions {
  /** The session of the token that opens the stream; the stream ends with the session. */
  readonly owner?: TokenSession | undefined
  /** Whether calls run whose responses go to this stream. */
  readonly isBusy?: () => Promise<boolean>
  /** Client address that the limits count in addition to the session, if there is no token. */
  readonly address?: string
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

interface Held {
  readonly generation: number
  /** Releases its slot in the limits. */
  readonly release: Release
  readonly events: EventStream
}

/** Retry delay after a failed read: the next notification may come much later. */
const READ_RETRY_MS = 1000

export type HeldStreams = ReturnType<typeof createHeldStreams>

export function createHeldStreams(deps: HeldStreamDeps) {
  const { node, mcpSessions, limits, openStreams, unusedTtlSeconds } = deps
  const held = new Map<string, Held>()

  node.onControl((control) => {
    if (control.kind !== 'connection_ended' && control.kind !== 'stream_taken') return
    const holding = held.get(control.connectionId)
    if (control.kind === 'connection_ended') holding?.events.end()
    else if (holding !== undefined && holding.generation < control.generation) holding.events.end()
  })

  return {
    /**
     * Takes over the stream of the MCP session and replays the events after `after`, if given.
     * @throws AppError `too_many_requests` or `unavailable` when there are too many streams
     */
    async attach(
      { id: mcpSessionId, sessionId }: Pick<McpSessionRecord, 'id' | 'sessionId'>,
      after: StreamEventId | undefined,
      options: HeldOptions = {},
    ): Promise<EventStream> {
      // Releases the slot of the older stream for the newer one. The older one stays open until the
      // newer is recorded: the client must not lose its stream because the store is full.
      held.get(mcpSessionId)?.release()
      const release = limits.stream(sessionId, 'connection', options.address)
      const events = createEventStream()
      events.onClose(release)
      try {
        const mcpSession = await mcpSessions.revise(mcpSessionId, ({ generation }) => ({
          holder: node.id,
          generation: generation + 1,
        }))
        const { generation } = mcpSession
        held.get(mcpSessionId)?.events.end()
        held.set(mcpSessionId, { generation, events, release })
        events.onClose(() => {
          if (held.get(mcpSessionId)?.events === events) held.delete(mcpSessionId)
        })
        await node.broadcast({ kind: 'stream_taken', connectionId: mcpSessionId, generation })
        if (!mcpSession.needsToken) {
          events.onClose(keepUnused(mcpSessions, mcpSessionId, unusedTtlSeconds / 4))
        }
        events.onClose(await startSending(deps, mcpSession, after, events, options))
      } catch (error) {
        // The caller never receives the stream, so that only this function can end it.
        events.end()
        throw error
      }
      openStreams.add(events, options.owner, options.isBusy)
      return events
    },
    /**
     * Writes a message to the stream, bypassing the store and without an event id to resume from.
     * Returns false if this node does not hold the stream.
     */
    sendNow(mcpSessionId: string, message: JSONRPCMessage): boolean {
      const events = held.get(mcpSessionId)?.events
      events?.write(message)
      // The write may have closed the stream: backpressure limit.
      return events?.isOpen === true
    },
  }
}

/** Replays past events, then follows the logs. Returns the function that stops it. */
async function startSending(
  deps: HeldStreamDeps,
  mcpSession: McpSession,
  after: StreamEventId | undefined,
  events: EventStream,
  options: HeldOptions,
): Promise<() => void> {
  const { node, notifier, log } = deps
  const sender = await createSender(deps, mcpSession, after, events, options)
  // Serializes reads and writes: no event is sent twice or out of order, and an update that follows
  // a subscription finds the subscription.
  let sending = Promise.resolve()
  let retryTimer: NodeJS.Timeout | undefined
  const scheduleRead = () => {
    sending = sending.then(sender.sendOwn).catch((error: unknown) => {
      log.warn({ err: error }, 'stream of the MCP session not read')
      clearTimeout(retryTimer)
      if (events.isOpen) retryTimer = setTimeout(scheduleRead, READ_RETRY_MS)
    })
  }
  const enqueue = (event: LoggedEvent) => {
    sending = sending.then(() => sender.sendEvent(event))
  }
  // Subscribes before the replay, or events in between would be lost; they are sent after it.
  const stops = [node.onEvent(enqueue), notifier.on(ownStreamKey(mcpSession.id), scheduleRead)]
  const stop = () => {
    clearTimeout(retryTimer)
    for (const each of stops) each()
  }
  sender.begin()
  const replaying = sender.replayEvents()
  sending = replaying.catch(() => undefined)
  try {
    await replaying
  } catch (error) {
    stop()
    throw error
  }
  scheduleRead()
  return stop
}

/** Writes to a stream what the logs have after its read positions. */
async function createSender(
  { node, streams, mcpSessions }: HeldStreamDeps,
  mcpSession: McpSession,
  after: StreamEventId | undefined,
  events: EventStream,
  { endpoint, onMcpSession }: HeldOptions,
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
    async replayEvents(): Promise<void> {
      for (const event of await node.eventsAfter(common)) sendEvent(event)
    },
    /** Sends the new messages of the MCP session's own log, and reads its subscriptions. */
    async sendOwn(): Promise<void> {
      for (const entry of await streams.read(key, own)) {
        own = entry.id
        events.write(JSON.parse(entry.value) as JSONRPCMessage, eventId())
      }
      const latest = await mcpSessions.retrieve(mcpSession.id)
      subscriptions = latest?.subscriptions ?? []
      onMcpSession?.(latest)
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

/** Renews an unused MCP session until it is used or has ended. Returns the function that stops it. */
function keepUnused(
  { renewUnused }: Pick<McpSessions, 'renewUnused'>,
  id: string,
  everySeconds: number,
): () => void {
  const timer = setInterval(async () => {
    // If the store is unavailable, the next renewal may succeed.
    if (!(await renewUnused(id).catch(() => true))) clearInterval(timer)
  }, everySeconds * 1000).unref()
  return () => clearInterval(timer)
}
