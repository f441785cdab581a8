/** Graceful shutdown of the streams that clients can resume on another node. */

import type { SessionEnds, TokenSession } from '../nodes/session-ends.ts'
import type { EventStream } from './event-stream.ts'

/** Reconnection delay (SSE `retry`): lets a stopping node leave the load balancer. */
const COME_BACK_MS = 500

export interface OpenStreams {
  /**
   * Adds a stream; ends it at once if the node is shutting down. A stream that was opened with a
   * token ends with the token's session; `SessionEnds.watch` defines `isBusy`.
   */
  add(events: EventStream, owner: TokenSession | undefined, isBusy?: () => Promise<boolean>): void
  /** Ends all streams; clients reconnect to another node. */
  release(): void
}

export function createOpenStreams(sessionEnds: SessionEnds): OpenStreams {
  const streams = new Set<EventStream>()
  let released = false

  function sendOn(events: EventStream): void {
    events.retry(COME_BACK_MS)
    events.end()
  }

  return {
    add(events, owner, isBusy) {
      if (released) {
        sendOn(events)
        return
      }
      streams.add(events)
      events.onClose(() => streams.delete(events))
      if (owner === undefined) return
      events.onClose(sessionEnds.watch(owner, () => events.end(), isBusy))
    },
    release() {
      released = true
      for (const events of [...streams]) sendOn(events)
    },
  }
}
