/** Where a follower is in each of its streams, and what it reads next. */

import { awaitEntries, readLastId, type SendCommand } from './redis-stream-commands.ts'
import type { StoreLog } from './store-log.ts'
import { deliver } from './stream-delivery.ts'
import { isAfter, STREAM_START } from './stream-ids.ts'
import type { OnEntry } from './streams.ts'

export interface FollowedStream {
  readonly key: string
  /** Its key in Redis. */
  readonly name: string
  /** Undefined: from its present end on. */
  readonly after: string | undefined
}

export interface StreamReader {
  /** Finds the ends of streams that are new to it, and of those that were lost and began anew. */
  locate(send: SendCommand): Promise<void>
  /** Delivers the next entries, or nothing when none came within `blockMs`. */
  next(send: SendCommand, blockMs: number): Promise<void>
  /** Nothing is delivered any more. */
  stop(): void
}

/** Of each stream at once, so that no reply is too large. */
const ENTRIES_AT_ONCE = 1000

/** The cursors move only with each delivery: what a lost connection did not bring is read again. */
export function createStreamReader(
  streams: readonly FollowedStream[],
  onEntry: OnEntry,
  log: StoreLog,
): StreamReader {
  const keys = new Map(streams.map(({ name, key }) => [name, key]))
  const cursors = new Map<string, string>()
  let stopped = false

  async function locateOne(send: SendCommand, { key, name, after }: FollowedStream): Promise<void> {
    const last = await readLastId(send, name)
    const cursor = cursors.get(name) ?? after ?? last
    const isLost = isAfter(cursor, last)
    cursors.set(name, isLost ? last : cursor)
    // Streams that expire are lost as well, and leave nothing behind that could be missed.
    if (isLost && last !== STREAM_START) {
      log.warn({ stream: key, cursor, last }, 'A stream began anew; followed from its present end.')
    }
  }

  return {
    async locate(send) {
      await Promise.all(streams.map((stream) => locateOne(send, stream)))
    },
    async next(send, blockMs) {
      for (const [name, entries] of await awaitEntries(send, cursors, ENTRIES_AT_ONCE, blockMs)) {
        for (const entry of entries) {
          if (stopped) return
          cursors.set(name, entry.id)
          deliver(onEntry, keys.get(name) ?? name, entry, log)
        }
      }
    },
    stop() {
      stopped = true
    },
  }
}
