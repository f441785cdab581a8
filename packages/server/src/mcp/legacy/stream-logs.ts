/**
 * The two logs that the stream of an MCP session follows: change events of the common log, and the
 * messages of its own log. Read positions in both are all that a stream holds.
 */

import type { JSONRPCMessage, JSONRPCNotification, ServerEvent } from '@modelcontextprotocol/server'
import { isAfter, STREAM_START } from '../../store/stream-ids.ts'
import type { Streams } from '../../store/streams.ts'
import type { ClusterNode, LoggedEvent } from '../nodes/cluster-node.ts'
import {
  type EventStream,
  formatEventId,
  type StreamEventId,
  takesEmptyEvents,
} from './event-stream.ts'
import { type McpSession, ownStreamKey } from './mcp-session-record.ts'
import type { McpSessions } from './mcp-sessions.ts'

export interface StreamLogDeps {
  readonly node: ClusterNode
  readonly streams: Streams
  readonly mcpSessions: Pick<McpSessions, 'retrieve'>
}

export interface StreamOptions {
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

/** Opens the logs after the id that the client resumes from, or else at their ends. */
export async function openStreamLogs(
  deps: StreamLogDeps,
  mcpSession: McpSession,
  after: StreamEventId | undefined,
  events: EventStream,
  options: StreamOptions,
): Promise<StreamLogs> {
  const start = after ?? (await endsOf(deps, mcpSession))
  return new StreamLogs(deps, mcpSession, start, events, options)
}

/** The ends of both logs; nobody has read the own log of a first stream, so it is sent in full. */
async function endsOf(
  { node, streams }: StreamLogDeps,
  { id, generation }: McpSession,
): Promise<StreamEventId> {
  const own = generation === 1 ? STREAM_START : await streams.last(ownStreamKey(id))
  return { kind: 'stream', own, common: await node.lastEventId() }
}

/** Writes to a stream what the logs have after its read positions. */
export class StreamLogs {
  readonly #deps: StreamLogDeps
  readonly #mcpSession: McpSession
  readonly #events: EventStream
  readonly #options: StreamOptions
  #own: string
  #common: string
  #subscriptions: readonly string[]

  constructor(
    deps: StreamLogDeps,
    mcpSession: McpSession,
    { own, common }: StreamEventId,
    events: EventStream,
    options: StreamOptions,
  ) {
    this.#deps = deps
    this.#mcpSession = mcpSession
    this.#events = events
    this.#options = options
    this.#own = own
    this.#common = common
    this.#subscriptions = mcpSession.subscriptions
  }

  /** Writes the first event, which gives the client an id to resume from, or a comment. */
  begin(): void {
    const { endpoint } = this.#options
    if (endpoint !== undefined) this.#events.writeEndpoint(endpoint.url, this.#eventId())
    else if (takesEmptyEvents(this.#mcpSession.protocolVersion)) this.#events.prime(this.#eventId())
    else this.#events.comment()
  }

  /** Sends a change event of the common log. */
  sendEvent({ id, event }: LoggedEvent): void {
    if (!isAfter(id, this.#common)) return
    this.#common = id
    const notification = notificationOf(event, this.#subscriptions)
    if (notification !== undefined) this.#events.write(notification, this.#eventId())
  }

  /** Sends the new events of the common log. Returns false if the stream is full before the end. */
  async sendEvents(): Promise<boolean> {
    for (const event of await this.#deps.node.eventsAfter(this.#common)) {
      if (this.#events.isFull) return false
      this.sendEvent(event)
    }
    return true
  }

  /**
   * Sends the new messages of the MCP session's own log, and reads its subscriptions. Returns false
   * if the stream is full before the end.
   */
  async sendOwn(): Promise<boolean> {
    const { streams, mcpSessions } = this.#deps
    const { id } = this.#mcpSession
    for (const entry of await streams.read(ownStreamKey(id), this.#own)) {
      if (this.#events.isFull) return false
      this.#own = entry.id
      this.#events.write(JSON.parse(entry.value) as JSONRPCMessage, this.#eventId())
    }
    const latest = await mcpSessions.retrieve(id)
    this.#subscriptions = latest?.subscriptions ?? []
    this.#options.onMcpSession?.(latest)
    return true
  }

  #eventId(): string {
    const prefix = this.#options.endpoint?.idPrefix ?? ''
    return prefix + formatEventId({ kind: 'stream', own: this.#own, common: this.#common })
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
