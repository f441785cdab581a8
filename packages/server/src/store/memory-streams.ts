/** Streams in process memory, with the semantics of Redis Streams. */

import { createExpiringMap } from './expiring-map.ts'
import type { StoreLog } from './store-log.ts'
import {
  formatStreamId,
  isAfter,
  parseStreamId,
  positiveInteger,
  STREAM_START,
} from './stream-ids.ts'
import {
  type AppendOptions,
  deliver,
  type Follower,
  type OnEntry,
  type StreamEntry,
  type Streams,
} from './streams.ts'
import { toMilliseconds } from './time-to-live.ts'

export interface MemoryStreamsOptions {
  /** Unix time in milliseconds. */
  readonly now: () => number
  readonly log: StoreLog
  /** Whether a document exists under this key. */
  readonly exists: (key: string) => boolean
  readonly remove: (key: string) => void
  /** Runs an operation of the store; rejects once the store is closed. */
  readonly open: <T>(operation: () => T) => Promise<T>
  /** The `entries` of an earlier process. */
  readonly kept: KeptStreams | undefined
}

interface MemoryStream {
  readonly entries: StreamEntry[]
  /** The highest id ever assigned, so that ids are never reused. */
  readonly newest: string
}

/** By key, each with its expiry in Unix milliseconds. */
type KeptStreams = [string, MemoryStream, number][]

export function createMemoryStreams(
  options: MemoryStreamsOptions,
): Streams & { close(): Promise<void>; entries(): KeptStreams } {
  const { log, open } = options
  const entries = createMemoryEntries(options)
  const followers = createMemoryFollowers(log)

  function append(key: string, value: string, options: AppendOptions): string | undefined {
    const entry = entries.append(key, value, options)
    if (entry !== undefined) followers.offer(key, entry)
    return entry?.id
  }

  function follow(
    keys: readonly string[],
    onEntry: OnEntry,
    after: Readonly<Record<string, string>>,
  ): Follower {
    const missed = [...new Set(keys)].flatMap((key) =>
      entriesAfter(entries.of(key), after[key] ?? entries.last(key)).map((entry) => ({
        key,
        entry,
      })),
    )
    const follower = followers.add(keys, onEntry)
    for (const { key, entry } of missed) follower.offer(key, entry)
    return follower
  }

  return {
    append: (key, value, options) => open(() => append(key, value, options)),
    read: (key, after, limit) =>
      open(() => {
        const end = limit === undefined ? undefined : positiveInteger(limit)
        return entriesAfter(entries.of(key), after).slice(0, end)
      }),
    last: (key) => open(() => entries.last(key)),
    trim: (key, upTo) => open(() => trimUpTo(entries.of(key), upTo)),
    follow: (keys, onEntry, after = {}) => open(() => follow(keys, onEntry, after)),
    entries: entries.kept,
    async close() {
      await followers.close()
      entries.close()
    },
  }
}

/** The entries of all streams. */
function createMemoryEntries({ now, exists, remove, kept }: MemoryStreamsOptions) {
  const streams = createExpiringMap<MemoryStream>(now, kept)
  const of = (key: string): StreamEntry[] => streams.get(key)?.entries ?? []

  return {
    of,
    last: (key: string): string => of(key).at(-1)?.id ?? STREAM_START,
    append(key: string, value: string, options: AppendOptions): StreamEntry | undefined {
      const { sequence, onlyIf, takes, ttlSeconds, maxBytes } = options
      const maxLength = positiveInteger(options.maxLength)
      if (maxBytes !== undefined) positiveInteger(maxBytes)
      toMilliseconds(ttlSeconds)
      const { entries, newest } = streams.get(key) ?? { entries: [], newest: STREAM_START }
      const id = sequence === undefined ? nextId(newest, now()) : `0-${positiveInteger(sequence)}`
      if ([onlyIf, takes].some((document) => document !== undefined && !exists(document))) {
        return undefined
      }
      if (!isAfter(id, newest)) return undefined
      if (takes !== undefined) remove(takes)
      const entry = { id, value }
      entries.push(entry)
      trimToBounds(entries, maxLength, maxBytes)
      streams.set(key, { entries, newest: id }, ttlSeconds)
      return entry
    },
    kept: streams.entries,
    close: streams.close,
  }
}

/** Delivers asynchronously, as a network would: no listener runs inside `append`. */
function createMemoryFollowers(log: StoreLog) {
  const followers = new Set<ReturnType<typeof add>>()

  function add(keys: readonly string[], onEntry: OnEntry) {
    const followed = new Set(keys)
    let closed = false
    const follower = {
      offer(key: string, entry: StreamEntry): void {
        if (!followed.has(key)) return
        setImmediate(() => {
          if (!closed) deliver(onEntry, key, entry, log)
        })
      },
      async close(): Promise<void> {
        closed = true
        followers.delete(follower)
      },
    }
    followers.add(follower)
    return follower
  }

  return {
    add,
    offer(key: string, entry: StreamEntry): void {
      for (const follower of followers) follower.offer(key, entry)
    },
    async close(): Promise<void> {
      for (const follower of followers) await follower.close()
    },
  }
}

function entriesAfter(entries: readonly StreamEntry[], id: string): readonly StreamEntry[] {
  parseStreamId(id)
  return entries.slice(entries.findLastIndex((entry) => !isAfter(entry.id, id)) + 1)
}

function trimUpTo(entries: StreamEntry[], upTo: string): void {
  parseStreamId(upTo)
  entries.splice(0, entries.findLastIndex((entry) => !isAfter(entry.id, upTo)) + 1)
}

/** Keeps the newest entries within the bounds, and always the newest one. */
function trimToBounds(
  entries: StreamEntry[],
  maxLength: number,
  maxBytes = Number.POSITIVE_INFINITY,
): void {
  entries.splice(0, entries.length - maxLength)
  let bytes = 0
  const tooOld = entries.findLastIndex(({ value }, index) => {
    bytes += Buffer.byteLength(value)
    return bytes > maxBytes && index < entries.length - 1
  })
  entries.splice(0, tooOld + 1)
}

/** Ids increase even when the clock stands still or goes back. */
function nextId(last: string, time: number): string {
  const [milliseconds, number] = parseStreamId(last)
  return formatStreamId(time > milliseconds ? [time, 0] : [milliseconds, number + 1])
}
