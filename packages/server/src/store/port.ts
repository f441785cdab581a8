/**
 * The store port. Drivers: memory, and Redis with or without JSON commands. A further store, such
 * as Postgres, is another driver: an adapter that passes the contract suite in `contract/`.
 */

import type { Streams } from './streams.ts'

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json }

/** A document is a JSON object. The store keeps its revision in the root field `rev`. */
export type Document = { readonly [key: string]: unknown }

/** A document from the store. `rev` starts at 1 and increases with every `set` and `patch`. */
export type Stored<T extends Document> = T & { readonly rev: number }

/**
 * Values by path: root fields (`state`) or nested ones (`data.cart`), segments of letters, digits,
 * `_` and `-`. `undefined` removes the field. `patch` throws TypeError for a malformed path, for
 * paths that overlap, and when a nested field's parent is missing; nothing is written then.
 */
export type Changes = Readonly<Record<string, unknown>>

export interface PatchOptions {
  /** Write only if the document still has this revision (optimistic concurrency). */
  readonly ifRev?: number
  /** New time-to-live; without it the remaining one is kept. */
  readonly ttlSeconds?: number
}

export type PatchOutcome =
  | { readonly outcome: 'written'; readonly rev: number }
  /** The revision differs from `ifRev`: a concurrent writer won. Nothing was written. */
  | { readonly outcome: 'conflict' }
  | { readonly outcome: 'absent' }

export interface Lock {
  /** Fencing token: greater than that of every earlier holder, so that late writers are rejected. */
  readonly token: number
  /** Extends the lock; false when it was lost. */
  extend(ttlSeconds: number): Promise<boolean>
  /** Releases the lock if it is still held. Never rejects: a lock that is not released expires. */
  release(): Promise<void>
}

/** The result of `count`. */
export interface Counted {
  /** The total of the current window, including this increment. */
  readonly count: number
  /** Milliseconds until the window ends; at least 1. */
  readonly windowLeftMs: number
}

/** The health of a store that accepts requests. */
export interface StoreHealth {
  /** For operators. Contains no secrets. */
  readonly warnings: readonly { readonly code: string; readonly message: string }[]
}

/**
 * Documents that expire, counters and locks. Every operation is atomic, and value and expiry are
 * written in one step. Operations throw `AppError('unavailable')` when the store is unreachable or misses its
 * deadline; a write may then have happened or not.
 */
export interface Store {
  get<T extends Document>(key: string): Promise<Stored<T> | undefined>
  /**
   * Reads several documents in one round trip, in the order of their keys: by one command where they
   * all lie in one slot (`{…}`), or on one server. A key that holds something else counts as absent.
   */
  getAll(keys: readonly string[]): Promise<readonly (Stored<Document> | undefined)[]>
  set(key: string, value: Document, ttlSeconds: number): Promise<void>
  /** Writes only if the key is absent; false when it exists. */
  create(key: string, value: Document, ttlSeconds: number): Promise<boolean>
  /** Writes single fields of an existing document. */
  patch(key: string, changes: Changes, options?: PatchOptions): Promise<PatchOutcome>
  /** Resets a document's time-to-live; false when the document is absent. */
  touch(key: string, ttlSeconds: number): Promise<boolean>
  /** Reads and deletes in one step: exactly one of any number of callers gets the document. */
  take<T extends Document>(key: string): Promise<Stored<T> | undefined>
  /** False when the key was absent. */
  delete(key: string): Promise<boolean>
  /**
   * Adds `by` (default 1) and returns the total and the time left in the window, in one round trip.
   * The first call starts a fixed window of `ttlSeconds`, after which the count restarts.
   * @throws RangeError unless `by` is a positive safe integer
   */
  count(key: string, ttlSeconds: number, by?: number): Promise<Counted>
  /** Undefined when another holder has the lock. */
  lock(key: string, ttlSeconds: number): Promise<Lock | undefined>
  /** Unix time in milliseconds by the store's clock, which all nodes share and expiry uses. */
  time(): Promise<number>
  /** Streams for messages between nodes. */
  readonly streams: Streams
  /**
   * Resolves when the store accepts the commands that requests need. Otherwise rejects with
   * `AppError('unavailable')`, whose message gives the reason and contains no secrets. Cheap: the
   * result comes from a probe that is less than 3 s old.
   */
  checkHealth(): Promise<StoreHealth>
  /** How many servers hold the data, and how many of them can serve requests; absent in memory. */
  readonly shards?: () => { readonly total: number; readonly ready: number }
  /** Probes the server. */
  ping(): Promise<void>
  /** Closes the connections, and ends the followers of streams. */
  close(): Promise<void>
}
