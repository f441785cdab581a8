/** What the server asks of a store. Drivers: memory and Redis (with or without JSON commands). */

import type { Streams } from './streams.ts'

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json }

/** A document is a JSON object; the store keeps its revision beside its fields, at the root. */
export type Document = { readonly [key: string]: unknown }

/** A document as the store returns it: `rev` starts at 1 and grows with every `set` and `patch`. */
export type Stored<T extends Document> = T & { readonly rev: number }

/**
 * Values by path: root fields (`state`) or nested ones (`data.cart`), segments of letters, digits,
 * `_` and `-`. `undefined` removes the field. `patch` throws TypeError for a malformed path, for
 * paths that overlap, and when a nested field's parent is missing; nothing is written then.
 */
export type Changes = Readonly<Record<string, unknown>>

export interface PatchOptions {
  /** Write only if the document still has this revision. */
  readonly ifRev?: number
  /** New time-to-live; without it the remaining one is kept. */
  readonly ttlSeconds?: number
}

export type PatchOutcome =
  | { readonly outcome: 'written'; readonly rev: number }
  /** `ifRev` named another revision: somebody else wrote first. Nothing was written. */
  | { readonly outcome: 'conflict' }
  | { readonly outcome: 'absent' }

export interface Lock {
  /** Greater than the token of every earlier holder of this lock: a late writer can be told apart. */
  readonly token: number
  /** Lengthens the lock; false when it was lost. */
  extend(ttlSeconds: number): Promise<boolean>
  /** Gives the lock up if it is still held. Never fails: what cannot be given up expires. */
  release(): Promise<void>
}

/** What `count` tells. */
export interface Counted {
  /** How many there are in this window, with those just counted. */
  readonly count: number
  /** Milliseconds until the window is over; at least 1. */
  readonly windowLeftMs: number
}

/** What a store that takes requests should be told of all the same. */
export interface StoreHealth {
  /** For operators; anybody may read them. */
  readonly warnings: readonly { readonly code: string; readonly message: string }[]
}

/**
 * Documents that expire, counters and locks. Every operation is atomic, and value and expiry are written in
 * one step. Operations throw `AppError('unavailable')` when the store is away or does not answer
 * within its deadline; whether a late write happened is then unknown.
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
  /** Gives a document this time-to-live from now on; false when there is none. */
  touch(key: string, ttlSeconds: number): Promise<boolean>
  /** Reads and deletes: of any number of callers exactly one gets the document. */
  take<T extends Document>(key: string): Promise<Stored<T> | undefined>
  /** False when there was nothing to delete. */
  delete(key: string): Promise<boolean>
  /**
   * Adds `by` (1 if left out) and tells how many there are, and how long the window still lasts, in
   * one round trip. The first call starts the window, which does not slide: `ttlSeconds` later
   * counting begins anew.
   * @throws RangeError unless `by` is a positive safe integer
   */
  count(key: string, ttlSeconds: number, by?: number): Promise<Counted>
  /** Undefined when somebody else holds the lock. */
  lock(key: string, ttlSeconds: number): Promise<Lock | undefined>
  /** Unix time in milliseconds by the clock that times-to-live go by: one for all nodes. */
  time(): Promise<number>
  /** What nodes tell each other. */
  readonly streams: Streams
  /**
   * Resolves when the store takes what requests need, and rejects with `AppError('unavailable')`
   * otherwise, whose message says why and is for anybody. Cheap however often it is asked: answers
   * from a check that is less than 3 s old.
   */
  checkHealth(): Promise<StoreHealth>
  /** Asks the server itself. */
  ping(): Promise<void>
  /** Ends the followers of its streams too. */
  close(): Promise<void>
}
