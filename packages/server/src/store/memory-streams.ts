/** Streams in this process's memory, with the behaviour of those in Redis. */

import { createExpiringMap } from './expiring-map.ts'
import type { StoreLog } from './store-log.ts'
import { deliver } from './stream-delivery.ts'
import {
  formatStreamId,
  isAfter,
  parseStreamId,
  positiveInteger,
  STREAM_START,
} from './stream-ids.ts'
import type { AppendOptions, Follower, OnEntry, StreamEntry, Streams } from './streams.ts'
import { toMilliseconds } from './time-to-live.ts'

export interface MemoryStreamsOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly log: StoreLog
  /** Whether there is a document with this key. */
  readonly exists: (key: string) => boolean
  readonly remove: (key: string) => void
  /** Runs an operation as the store does: fails once the store is closed. */
  readonly open: <T>(operation: () => T) => Promise<T>
  /** What `entries` of an earlier process gave. */
  readonly kept: KeptStreams | undefined
}

interface MemoryStream {
  readonly entries: StreamEntry[]
  /** Of all entries there were: ids are not given twice. */
  readonly newest: string
}

/** By key, with when each expires, in milliseconds since the epoch. */
type KeptStreams = [string, MemoryStream, number][]

interface MemoryFollower extends Follower {
  offer(key: string, entry: StreamEntry): void
}

export function createMemoryStreams(
  options: MemoryStreamsOptions,
): Streams & { close(): Promise<void>; entries(): KeptStreams } {
  const { now, log, exists, remove, open, kept } = options
  const streams = createExpiringMap<MemoryStream>(now, kept)
  const followers = new Set<MemoryFollower>()

  const entriesOf = (key: string): readonly StreamEntry[] => streams.get(key)?.entries ?? []
  const lastOf = (key: string): string => entriesOf(key).at(-1)?.id ?? STREAM_START

  function entriesAfter(key: string, id: string): readonly StreamEntry[] {
    parseStreamId(id)
    const entries = entriesOf(key)
    return entries.slice(entries.findLastIndex((entry) => !isAfter(entry.id, id)) + 1)
  }

  function append(key: string, value: string, options: AppendOptions): string | undefined {
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
    entries.splice(0, entries.length - maxLength)
    if (maxBytes !== undefined) trimToBytes(entries, maxBytes)
    streams.set(key, { entries, newest: id }, ttlSeconds)
    for (const follower of followers) follower.offer(key, entry)
    return id
  }

  function follow(
    keys: readonly string[],
    onEntry: OnEntry,
    after: Readonly<Record<string, string>>,
  ): Follower {
    const missed = [...new Set(keys)].flatMap((key) =>
      entriesAfter(key, after[key] ?? lastOf(key)).map((entry) => ({ key, entry })),
    )
    const follower = createMemoryFollower(keys, onEntry, log, () => followers.delete(follower))
    followers.add(follower)
    for (const { key, entry } of missed) follower.offer(key, entry)
    return follower
  }

  return {
    append: (key, value, options) => open(() => append(key, value, options)),
    read: (key, after, limit) =>
      open(() => {
        const end = limit === undefined ? undefined : positiveInteger(limit)
        return entriesAfter(key, after).slice(0, end)
      }),
    last: (key) => open(() => lastOf(key)),
    trim: (key, upTo) => open(() => trimUpTo(streams.get(key)?.entries ?? [], upTo)),
    follow: (keys, onEntry, after = {}) => open(() => follow(keys, onEntry, after)),
    entries: streams.entries,
    async close() {
      for (const follower of followers) await follower.close()
      streams.close()
    },
  }
}

/** Delivers later, as a network would: nobody may count on being called within `append`. */
function createMemoryFollower(
  keys: readonly string[],
  onEntry: OnEntry,
  log: StoreLog,
  onClose: () => void,
): MemoryFollower {
  const followed = new Set(keys)
  let closed = false

  return {
    offer(key, entry) {
      if (!followed.has(key)) return
      setImmediate(() => {
        if (!closed) deliver(onEntry, key, entry, log)
      })
    },
    async close() {
      closed = true
      onClose()
    },
  }
}

function trimUpTo(entries: StreamEntry[], upTo: string): void {
  parseStreamId(upTo)
  entries.splice(0, entries.findLastIndex((entry) => !isAfter(entry.id, upTo)) + 1)
}

/** Keeps the newest entries that fit, and the newest one in any case. */
function trimToBytes(entries: StreamEntry[], maxBytes: number): void {
  let bytes = 0
  const tooOld = entries.findLastIndex(({ value }, index) => {
    bytes += Buffer.byteLength(value)
    return bytes > maxBytes && index < entries.length - 1
  })
  entries.splice(0, tooOld + 1)
}

/** The clock may stand still or go back; ids never do. */
function nextId(last: string, time: number): string {
  const [milliseconds, number] = parseStreamId(last)
  return formatStreamId(time > milliseconds ? [time, 0] : [milliseconds, number + 1])
}
