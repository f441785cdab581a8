/**
 * The GET streams that this node holds (2025-11-25, basic/transports, "Listening for Messages from
 * the Server"). The newest GET of an MCP session wins: the older one may be a dead socket.
 */

import type { JSONRPCMessage, JSONRPCNotification, ServerEvent } from '@modelcontextprotocol/server'
import type { Logger } from '../../logger.ts'
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
import type { McpSessions } from './mcp-session.ts'
import { type McpSession, type McpSessionRecord, ownStreamKey } from './mcp-session-record.ts'
import { type KeepTimes, keepUnused } from './unused-mcp-sessions.ts'

export interface HeldStreamDeps {
  readonly node: ClusterNode
  readonly streams: Streams
  readonly notifier: StreamNotifier
  readonly mcpSessions: McpSessions
  readonly limits: Limits
  readonly open: OpenStreams
  readonly log: Logger
}

export interface HeldOptions {
  /** The session of the token that opens the stream; the stream ends with the session. */
  readonly owner?: TokenSession | undefined
  /** Whether calls run whose responses go to this stream. */
  readonly isBusy?: () => Promise<boolean>
  /** Client address that the limits count in addition to the session, if there is no token. */
  readonly address?: string
  readonly greeting?: Greeting
  /** Receives the state of the MCP session: initially, and after each read of its stream. */
  readonly onMcpSession?: (mcpSession: McpSession | undefined) => void
}

/** The first event of a transport that defines one. */
export interface Greeting {
  readonly event: string
  readonly data: string
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
const READ_AGAIN_MS = 1000

export type HeldStreams = ReturnType<typeof createHeldStreams>

export function createHeldStreams(deps: HeldStreamDeps, times: KeepTimes) {
  const { node, mcpSessions, limits, open } = deps
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
        if (!mcpSession.needsToken) events.onClose(keepUnused(mcpSessions, mcpSessionId, times))
        events.onClose(await startSending(deps, mcpSession, after, events, options))
      } catch (error) {
        // The caller never receives the stream, so that only this function can end it.
        events.end()
        throw error
      }
      open.add(events, options.owner, options.isBusy)
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
      return events?.open === true
    },
  }
}

/** Replays past events, then follows the logs. Returns the function that stops it. */
async function startSending(
  { node, streams, notifier, mcpSessions, log }: HeldStreamDeps,
  mcpSession: McpSession,
  after: StreamEventId | undefined,
  events: EventStream,
  { greeting, onMcpSession }: HeldOptions,
): Promise<() => void> {
  const key = ownStreamKey(mcpSession.id)
  const first = mcpSession.generation === 1
  let own = after?.own ?? (first ? '0' : await streams.last(key))
  let common = after?.common ?? (await node.lastEventId())
  let { subscriptions } = mcpSession
  const prefix = greeting?.idPrefix ?? ''
  const eventId = () => prefix + formatEventId({ kind: 'stream', own, common })

  const sendEvent = ({ id, event }: LoggedEvent) => {
    if (!isLater(id, common)) return
    common = id
    const notification = notificationOf(event, subscriptions)
    if (notification !== undefined) events.write(notification, eventId())
  }
  const sendOwn = async () => {
    for (const entry of await streams.read(key, own)) {
      own = entry.id
      events.write(JSON.parse(entry.value) as JSONRPCMessage, eventId())
    }
    const latest = await mcpSessions.retrieve(mcpSession.id)
    subscriptions = latest?.subscriptions ?? []
    onMcpSession?.(latest)
  }
  // Serializes reads and writes: no event is sent twice or out of order, and an update that follows
  // a subscription finds the subscription.
  let sending = Promise.resolve()
  let again: NodeJS.Timeout | undefined
  const readSoon = () => {
    sending = sending.then(sendOwn).catch((error: unknown) => {
      log.warn({ err: error }, 'stream of the MCP session not read')
      clearTimeout(again)
      if (events.open) again = setTimeout(readSoon, READ_AGAIN_MS)
    })
  }
  const enqueue = (event: LoggedEvent) => {
    sending = sending.then(() => sendEvent(event))
  }
  // Subscribes before the replay, or events in between would be lost; sends those after the replay.
  const early: LoggedEvent[] = []
  let onEvent = (event: LoggedEvent): void => void early.push(event)
  const stops = [node.onEvent((event) => onEvent(event)), notifier.on(key, readSoon)]
  const stop = () => {
    clearTimeout(again)
    for (const each of stops) each()
  }
  if (greeting !== undefined) events.greet(greeting, eventId())
  else if (takesEmptyEvents(mcpSession.protocolVersion)) events.prime(eventId())
  else events.comment()
  try {
    for (const event of await node.eventsAfter(common)) sendEvent(event)
  } catch (error) {
    stop()
    throw error
  }
  early.forEach(sendEvent)
  onEvent = enqueue
  readSoon()
  return stop
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

/** Compares two ids of a log, `<milliseconds>-<number>`. */
function isLater(id: string, than: string): boolean {
  const [ms = 0, count = 0] = id.split('-').map(Number)
  const [thanMs = 0, thanCount = 0] = than.split('-').map(Number)
  return ms > thanMs || (ms === thanMs && count > thanCount)
}
