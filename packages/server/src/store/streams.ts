/** Streams between nodes: short-lived logs that every follower hears completely and in order. */

export interface StreamEntry {
  readonly id: string
  /** JSON text, as it was appended. */
  readonly value: string
}

/** Length and time-to-live are always given: nothing grows or lives without end. */
export interface AppendOptions {
  /** About so many entries are kept, the newest ones. A driver may keep some more, never fewer. */
  readonly maxLength: number
  /**
   * The oldest entries are trimmed so that at most about so many bytes of values are kept; the newest
   * entry always is, and so are the newest ones that take half of it. On a Redis Cluster the key must
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
   * Key of a document that must exist, with the same hash tag: a late write must not bring back
   * what has ended.
   */
  readonly onlyIf?: string
  /**
   * Key of a document that must exist and is deleted together with this entry, with the same hash
   * tag: of any number of writers one gets through.
   */
  readonly takes?: string
}

export type OnEntry = (key: string, entry: StreamEntry) => void

export interface Follower {
  /** Ends at once, even while the server hangs; no entry is delivered afterwards. */
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
   * trimmed away, they start with the oldest that is left.
   */
  read(key: string, after: string, limit?: number): Promise<readonly StreamEntry[]>
  /** The id of the newest entry; `0` when there is none. */
  last(key: string): Promise<string>
  /** Deletes the entries up to an id, and that one. Later entries still get later ids. */
  trim(key: string, upTo: string): Promise<void>
  /**
   * Delivers what is appended from now on, or after the ids given in `after`: each entry once and
   * in order, whatever happens to the connection. A stream that was lost and began anew is
   * followed from its present end. Resolves when it listens; where the store is away, after one
   * deadline, and listens as soon as the store is back. All keys must share one hash tag.
   */
  follow(
    keys: readonly string[],
    onEntry: OnEntry,
    after?: Readonly<Record<string, string>>,
  ): Promise<Follower>
}
