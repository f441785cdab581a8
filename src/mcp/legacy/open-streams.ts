/**
 * The streams on this node that their clients could just as well have on another: ended when it
 * stops, and never more than it can hold.
 */

import { AppError } from '../../errors.ts'
import type { SessionEnds, TokenSession } from '../nodes/session-ends.ts'
import type { EventStream } from './event-stream.ts'

/** Long enough for a node that stops to be gone, short enough for nobody to notice. */
const COME_BACK_MS = 500

export interface OpenStreams {
  /** @throws AppError `unavailable` when the node holds as many as it may */
  admit(): void
  /**
   * A stream that comes when the node already stops is sent on at once. One that belongs to a token
   * ends with it.
   */
  add(events: EventStream, owner: TokenSession | undefined): void
  /** Ends all of them; clients come back to another node. */
  release(): void
}

export function createOpenStreams(most: number, sessionEnds: SessionEnds): OpenStreams {
  const streams = new Set<EventStream>()
  let released = false

  function sendOn(events: EventStream): void {
    events.retry(COME_BACK_MS)
    events.end()
  }

  return {
    admit() {
      if (streams.size < most) return
      const message = 'This node holds as many streams as it can.'
      throw new AppError('unavailable', message, { retryAfterSeconds: 1 })
    },
    add(events, owner) {
      if (released) {
        sendOn(events)
        return
      }
      streams.add(events)
      events.onClose(() => streams.delete(events))
      if (owner !== undefined) events.onClose(sessionEnds.watch(owner, events.end))
    },
    release() {
      released = true
      for (const events of [...streams]) sendOn(events)
    },
  }
}
