/**
 * The GET streams that this node holds (2025-11-25, basic/transports, "Listening for Messages from
 * the Server"). The newest GET of an MCP session wins: the older one may be a dead socket.
 */

import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import type { Limits, Release } from '../limits.ts'
import type { McpRequest } from '../mcp-request.ts'
import type { TokenSession } from '../nodes/session-ends.ts'
import {
  createEventStream,
  type EventStream,
  type OpenStreams,
  type StreamEventId,
} from './event-stream.ts'
import type { McpSessionRecord } from './mcp-session-record.ts'
import type { McpSessions } from './mcp-sessions.ts'
import type { StreamOptions } from './stream-logs.ts'
import { type Sending, type StreamSenderDeps, startSending } from './stream-sender.ts'

export interface HeldStreamDeps extends StreamSenderDeps {
  readonly mcpSessions: McpSessions
  readonly limits: Limits
  readonly openStreams: OpenStreams
  /** TTL of an unused MCP session, after its stream is closed. */
  readonly unusedTtlSeconds: number
}

export interface HeldOptions extends StreamOptions {
  /** The session of the token that opens the stream; the stream ends with the session. */
  readonly owner?: TokenSession | undefined
  /** Whether calls run whose responses go to this stream. */
  readonly isBusy?: () => Promise<boolean>
  /** Client address that the limits count in addition to the session, if there is no token. */
  readonly address?: string
  /** Calls the listener when the response is sent, or cut off: releases the slot of the stream. */
  readonly onClose: McpRequest['onClose']
  readonly disconnect: McpRequest['disconnect']
}

interface Held {
  readonly generation: number
  readonly slot: Slot
  readonly events: EventStream
  /** Undefined until the replay is sent. */
  sending?: Sending
}

export class HeldStreams {
  readonly #deps: HeldStreamDeps
  readonly #held = new Map<string, Held>()

  constructor(deps: HeldStreamDeps) {
    this.#deps = deps
    deps.node.onControl((control) => {
      if (control.kind !== 'connection_ended' && control.kind !== 'stream_taken') return
      const holding = this.#held.get(control.connectionId)
      if (control.kind === 'connection_ended') holding?.events.endUnheld()
      else if (holding !== undefined && holding.generation < control.generation) {
        holding.events.endUnheld()
      }
    })
  }

  /**
   * Takes over the stream of the MCP session and replays the events after `after`, if given.
   * @throws AppError `too_many_requests` or `unavailable` when there are too many streams
   */
  async attach(
    { id: mcpSessionId, sessionId }: Pick<McpSessionRecord, 'id' | 'sessionId'>,
    after: StreamEventId | undefined,
    options: HeldOptions,
  ): Promise<EventStream> {
    const { mcpSessions, limits, openStreams, unusedTtlSeconds } = this.#deps
    // The older one stays open until the newer is recorded: the client must not lose its stream
    // because the store is full.
    const older = this.#held.get(mcpSessionId)?.slot
    const acquire = () => limits.stream(sessionId, 'connection', options.address)
    const slot = acquireInPlaceOf(older, acquire)
    options.onClose(slot.end)
    const events = createEventStream(options.disconnect)
    try {
      const { mcpSession, holding } = await this.#takeOver(mcpSessionId, events, slot)
      if (!mcpSession.needsToken) {
        events.onClose(keepUnused(mcpSessions, mcpSessionId, unusedTtlSeconds / 4))
      }
      holding.sending = await startSending(this.#deps, mcpSession, after, events, options)
      events.onClose(holding.sending.stop)
    } catch (error) {
      // The caller never receives the stream, so that only this function can end it.
      events.end()
      slot.end()
      if (this.#held.get(mcpSessionId)?.slot === older) older?.reacquire()
      throw error
    }
    openStreams.add(events, options.owner, options.isBusy)
    return events
  }

  /** Makes this node the holder, with a stream that replaces any older one, on any node. */
  async #takeOver(mcpSessionId: string, events: EventStream, slot: Slot) {
    const { node, mcpSessions } = this.#deps
    const mcpSession = await mcpSessions.revise(mcpSessionId, ({ generation }) => ({
      holder: node.id,
      generation: generation + 1,
    }))
    const { generation } = mcpSession
    this.#held.get(mcpSessionId)?.events.endUnheld()
    const holding: Held = { generation, events, slot }
    this.#held.set(mcpSessionId, holding)
    events.onClose(() => {
      if (this.#held.get(mcpSessionId)?.events === events) this.#held.delete(mcpSessionId)
    })
    await node.broadcast({ kind: 'stream_taken', connectionId: mcpSessionId, generation })
    return { mcpSession, holding }
  }

  /**
   * Writes a message to the stream, bypassing the store and without an event id to resume from.
   * Returns false if this node does not hold the stream, or earlier messages are not sent yet.
   */
  sendNow(mcpSessionId: string, message: JSONRPCMessage): boolean {
    const { events, sending } = this.#held.get(mcpSessionId) ?? {}
    if (events === undefined || events.isFull || !sending?.isCaughtUp()) return false
    events.write(message)
    return events.isOpen
  }
}

/** The slot of a stream in the limits, which a newer stream of its MCP session may use. */
interface Slot {
  /** Releases the slot for a newer stream. Idempotent. */
  release(): void
  /** Acquires it again if it is released; without effect if it is taken meanwhile. */
  reacquire(): void
  /** Call it when the response is sent, or cut off. */
  end(): void
}

/** The older slot is released for the new one, and acquired again if that is refused. */
function acquireInPlaceOf(older: Slot | undefined, acquire: () => Release): Slot {
  older?.release()
  try {
    return createSlot(acquire)
  } catch (error) {
    older?.reacquire()
    throw error
  }
}

function createSlot(acquire: () => Release): Slot {
  let held: Release | undefined = acquire()
  let isEnded = false
  const release = () => {
    held?.()
    held = undefined
  }
  return {
    release,
    reacquire() {
      if (isEnded || held !== undefined) return
      try {
        held = acquire()
      } catch {
        // Another stream of the caller has it: the older one stays open without.
      }
    },
    end() {
      isEnded = true
      release()
    },
  }
}

/** Renews an unused MCP session until it is used or has ended. Returns the function that stops it. */
function keepUnused(
  mcpSessions: Pick<McpSessions, 'renewUnused'>,
  id: string,
  everySeconds: number,
): () => void {
  const timer = setInterval(async () => {
    // If the store is unavailable, the next renewal may succeed.
    if (!(await mcpSessions.renewUnused(id).catch(() => true))) clearInterval(timer)
  }, everySeconds * 1000).unref()
  return () => clearInterval(timer)
}
