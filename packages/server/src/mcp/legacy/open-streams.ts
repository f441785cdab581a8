/** The streams that clients could just as well have on another node: ended when this one stops. */

import type { SessionEnds, TokenSession } from '../nodes/session-ends.ts'
import type { EventStream } from './event-stream.ts'

/** Long enough for a node that stops to be gone, short enough for nobody to notice. */
const COME_BACK_MS = 500

export interface OpenStreams {
  /**
   * A stream that comes when the node already stops is sent on at once. One that belongs to a session
   * of tokens ends with it.
   */
  add(events: EventStream, owner: TokenSession | undefined): void
  /** Ends all of them; clients come back to another node. */
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
    add(events, owner) {
      if (released) {
        sendOn(events)
        return
      }
      streams.add(events)
      events.onClose(() => streams.delete(events))
      if (owner !== undefined) events.onClose(sessionEnds.watch(owner, () => events.end()))
    },
    release() {
      released = true
      for (const events of [...streams]) sendOn(events)
    },
  }
}
