/** Reads several streams from their cursors, and delivers their entries. */

import { awaitEntries, readLastId, type SendCommand } from './redis-stream-commands.ts'
import type { StoreLog } from './store-log.ts'
import { isAfter, STREAM_START } from './stream-ids.ts'
import { deliver, type OnEntry } from './streams.ts'

export interface FollowedStream {
  readonly key: string
  /** Its key in Redis. */
  readonly name: string
  /** Undefined: from its current end. */
  readonly after: string | undefined
}

/** Per stream and read, which bounds the size of a reply. */
const ENTRIES_AT_ONCE = 1000

/** The cursors move on delivery, so that entries lost with a connection are read again. */
export function createStreamReader(
  streams: readonly FollowedStream[],
  onEntry: OnEntry,
  log: StoreLog,
) {
  const keys = new Map(streams.map(({ name, key }) => [name, key]))
  const cursors = new Map<string, string>()
  let stopped = false

  async function locateOne(send: SendCommand, { key, name, after }: FollowedStream): Promise<void> {
    const last = await readLastId(send, name)
    const cursor = cursors.get(name) ?? after ?? last
    const isLost = isAfter(cursor, last)
    cursors.set(name, isLost ? last : cursor)
    // An expired stream is lost as well, but has no entries that could be missed.
    if (isLost && last !== STREAM_START) {
      log.warn({ stream: key, cursor, last }, 'stream restarted; following from its current end')
    }
  }

  return {
    /** Finds the ends of new streams, and of streams that were lost and restarted. */
    async locate(send: SendCommand): Promise<void> {
      await Promise.all(streams.map((stream) => locateOne(send, stream)))
    },
    /** Delivers the next entries, if any arrive within `blockMs`. */
    async next(send: SendCommand, blockMs: number): Promise<void> {
      for (const [name, entries] of await awaitEntries(send, cursors, ENTRIES_AT_ONCE, blockMs)) {
        for (const entry of entries) {
          if (stopped) return
          cursors.set(name, entry.id)
          deliver(onEntry, keys.get(name) ?? name, entry, log)
        }
      }
    },
    /** Stops all delivery. */
    stop(): void {
      stopped = true
    },
  }
}
