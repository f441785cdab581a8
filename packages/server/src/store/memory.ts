/** The in-memory store of a single process, for development. */

import { randomUUID } from 'node:crypto'
import { storeUnavailable } from '../errors.ts'
import { applyChanges, parseChanges } from './changes.ts'
import { decodeDocument, decodeReply, encodeFields, withRevision } from './documents.ts'
import { createExpiringMap, type ExpiringMap } from './expiring-map.ts'
import { checkedIncrement } from './increment.ts'
import type { MemoryFile } from './memory-file.ts'
import { createMemoryStreams } from './memory-streams.ts'
import type {
  Changes,
  Counted,
  Document,
  Lock,
  PatchOptions,
  PatchOutcome,
  Store,
  Stored,
} from './port.ts'
import type { StoreLog } from './store-log.ts'
import { toMilliseconds } from './time-to-live.ts'

export interface MemoryStoreOptions {
  /** Unix time in milliseconds. */
  readonly now?: () => number
  /** Generates the id of a lock's holder. */
  readonly randomId?: () => string
  /** Logs failures of stream followers; none by default. */
  readonly log?: StoreLog
  /** Persists documents and streams for the next process; none by default. */
  readonly file?: MemoryFile
}

const NO_LOG: StoreLog = { info: () => undefined, warn: () => undefined }

/** Creates a store in process memory. It stores text, so that callers never share references. */
export function createMemoryStore(options: MemoryStoreOptions = {}): Store {
  const { now = Date.now, randomId = randomUUID, log = NO_LOG, file } = options
  const kept = file?.read()
  const documents = createMemoryDocuments(createExpiringMap(now, kept?.documents))
  const counters = createMemoryCounters(now)
  const locks = createMemoryLocks(now, randomId)
  const { exists, delete: remove } = documents
  const streams = createMemoryStreams({ now, log, exists, remove, open, kept: kept?.streams })
  let closed = false

  /** Async, so that failures reject and timing matches the Redis driver. */
  async function open<T>(operation: () => T): Promise<T> {
    if (closed) throw storeUnavailable(new Error('The store is closed.'))
    return operation()
  }

  return {
    get: <T extends Document>(key: string) => open(() => documents.get<T>(key)),
    getAll: (keys) => open(() => keys.map((key) => documents.get(key))),
    set: (key, value, ttlSeconds) => open(() => documents.set(key, value, ttlSeconds)),
    create: (key, value, ttlSeconds) => open(() => documents.create(key, value, ttlSeconds)),
    patch: (key, changes, options) => open(() => documents.patch(key, changes, options)),
    touch: (key, ttlSeconds) => open(() => documents.touch(key, ttlSeconds)),
    take: <T extends Document>(key: string) => open(() => documents.take<T>(key)),
    delete: (key) => open(() => documents.delete(key)),
    count: (key, ttlSeconds, by) => open(() => counters.count(key, ttlSeconds, by)),
    lock: (key, ttlSeconds) => open(() => locks.acquire(key, ttlSeconds)),
    time: () => open(now),
    checkHealth: () => open(() => ({ warnings: [] })),
    ping: () => open(() => undefined),
    streams,

    async close() {
      closed = true
      file?.write({ documents: documents.entries(), streams: streams.entries() })
      await streams.close()
      for (const held of [documents, counters, locks]) held.close()
    },
  }
}

/** Documents as text by key. */
function createMemoryDocuments(texts: ExpiringMap<string>) {
  const exists = (key: string) => texts.get(key) !== undefined
  const get = <T extends Document>(key: string) => decodeReply<T>(texts.get(key))
  return {
    exists,
    get,
    set(key: string, value: Document, ttlSeconds: number): void {
      const rev = (get(key)?.rev ?? 0) + 1
      texts.set(key, withRevision(rev, encodeFields(value)), ttlSeconds)
    },
    create(key: string, value: Document, ttlSeconds: number): boolean {
      if (exists(key)) return false
      texts.set(key, withRevision(1, encodeFields(value)), ttlSeconds)
      return true
    },
    patch(key: string, changes: Changes, options: PatchOptions = {}): PatchOutcome {
      const parsed = parseChanges(changes)
      const text = texts.get(key)
      if (text === undefined) return { outcome: 'absent' }
      const { rev } = decodeDocument(text)
      if (options.ifRev !== undefined && options.ifRev !== rev) return { outcome: 'conflict' }
      texts.set(key, applyChanges(text, parsed), options.ttlSeconds)
      return { outcome: 'written', rev: rev + 1 }
    },
    touch(key: string, ttlSeconds: number): boolean {
      const text = texts.get(key)
      if (text !== undefined) texts.set(key, text, ttlSeconds)
      return text !== undefined
    },
    take<T extends Document>(key: string): Stored<T> | undefined {
      const text = texts.get(key)
      texts.delete(key)
      return decodeReply<T>(text)
    },
    delete: texts.delete,
    entries: texts.entries,
    close: texts.close,
  }
}

function createMemoryCounters(now: () => number) {
  const counts = createExpiringMap<{ readonly count: number; readonly endsAt: number }>(now)
  return {
    count(key: string, ttlSeconds: number, by = 1): Counted {
      const earlier = counts.get(key)
      const count = (earlier?.count ?? 0) + checkedIncrement(by)
      const endsAt = earlier?.endsAt ?? now() + toMilliseconds(ttlSeconds)
      counts.set(key, { count, endsAt }, earlier === undefined ? ttlSeconds : undefined)
      return { count, windowLeftMs: Math.max(1, endsAt - now()) }
    },
    close: counts.close,
  }
}

function createMemoryLocks(now: () => number, randomId: () => string) {
  const holders = createExpiringMap<string>(now)
  let lastToken = 0

  function acquire(key: string, ttlSeconds: number): Lock | undefined {
    if (holders.get(key) !== undefined) return undefined
    const holder = randomId()
    holders.set(key, holder, ttlSeconds)
    lastToken += 1
    return {
      token: lastToken,
      async extend(ttlSeconds) {
        if (holders.get(key) !== holder) return false
        holders.set(key, holder, ttlSeconds)
        return true
      },
      async release() {
        if (holders.get(key) === holder) holders.delete(key)
      },
    }
  }

  return { acquire, close: holders.close }
}
