/** Hands entries to a follower, whose mistakes must not end the following. */

import type { StoreLog } from './store-log.ts'
import type { OnEntry, StreamEntry } from './streams.ts'

export function deliver(onEntry: OnEntry, key: string, entry: StreamEntry, log: StoreLog): void {
  try {
    onEntry(key, entry)
  } catch (error) {
    log.warn({ err: error, stream: key, entry: entry.id }, 'A follower of a stream failed.')
  }
}
