/** The streams port: short-lived logs that every follower receives completely and in order. */

import type { StoreLog } from './store-log.ts'

export interface StreamEntry {
  readonly id: string
  /** JSON text, as it was appended. */
  readonly value: string
}

/** Length and time-to-live are required, so that every stream is bounded. */
export interface AppendOptions {
  /** The newest entries are kept, about this many. A driver may keep a few more, never fewer. */
  readonly maxLength: number
  /**
   * Trims the oldest entries beyond about this many bytes of values. The newest entry is always kept,
   * and so are the newest entries within half the bound. On a Redis Cluster the key must
   * have a hash tag.
   */
  readonly maxBytes?: number
  /** Of the whole stream, from this entry on. */
  readonly ttlSeconds: number
  /**
   * The entry gets the id `0-<sequence>`; a taken or older one is refused. From 1 to 10^15 - 1. A
   * stream has either explicit or automatic ids, never both.
   */
  readonly sequence?: number
  /**
   * Key of a document that must exist, with the same hash tag, so that a late write does not recreate
   * the stream of an ended session.
   */
  readonly onlyIf?: string
  /**
   * Key of a document that must exist and is deleted together with this entry, with the same hash
   * tag: exactly one of any number of writers succeeds.
   */
  readonly takes?: string
}

export type OnEntry = (key: string, entry: StreamEntry) => void

export interface Follower {
  /** Ends immediately, even while the server hangs; no entry is delivered afterwards. */
  close(): Promise<void>
}

/**
 * Entry, trimming and expiry are written in one step. Operations throw `AppError('unavailable')`
 * as the store's do, RangeError for numbers out of range and TypeError for a malformed id.
 */
export interface Streams {
  /** The id of the new entry; undefined when `sequence` was taken, or `onlyIf` or `takes` is gone. */
  append(key: string, value: string, options: AppendOptions): Promise<string | undefined>
  /**
   * The entries after an id (`0`: all), oldest first, at most `limit`. Where the id itself was
   * trimmed, they start with the oldest remaining entry.
   */
  read(key: string, after: string, limit?: number): Promise<readonly StreamEntry[]>
  /** The id of the newest entry; `0` when there is none. */
  last(key: string): Promise<string>
  /** Deletes the entries up to an id, and that one. Later entries still get later ids. */
  trim(key: string, upTo: string): Promise<void>
  /**
   * Delivers what is appended from now on, or after the ids given in `after`: each entry once and
   * in order, whatever happens to the connection. A stream that was lost and restarted is
   * followed from its current end. Resolves when it listens; while the store is unavailable, after
   * one deadline, and listens as soon as the store is back. All keys must share one hash tag.
   */
  follow(
    keys: readonly string[],
    onEntry: OnEntry,
    after?: Readonly<Record<string, string>>,
  ): Promise<Follower>
}

/** Calls a follower with an entry. An exception of the follower is logged and does not end it. */
export function deliver(onEntry: OnEntry, key: string, entry: StreamEntry, log: StoreLog): void {
  try {
    onEntry(key, entry)
  } catch (error) {
    log.warn({ err: error, stream: key, entry: entry.id }, 'stream follower failed')
  }
}
