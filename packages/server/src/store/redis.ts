/** The store that nodes share: Redis 6.2 or later, with or without JSON commands. */

import { randomUUID } from 'node:crypto'
import { ErrorReply } from '@redis/client'
import { AppError } from '../errors.ts'
import type { Document, Store } from './port.ts'
import type { RedisAddress } from './redis-client.ts'
import { createRedisConnection, type RedisConnection } from './redis-connection.ts'
import { countInRedis } from './redis-counter.ts'
import type { RedisDocuments } from './redis-documents.ts'
import { createRedisHealth } from './redis-health.ts'
import { createJsonDocuments } from './redis-json-documents.ts'
import { createRedisKeys } from './redis-keys.ts'
import { acquireRedisLock } from './redis-lock.ts'
import { probeRedis } from './redis-probe.ts'
import { definedScripts } from './redis-scripts.ts'
import { createRedisStreams } from './redis-streams.ts'
import { createStringDocuments } from './redis-string-documents.ts'
import type { StoreLog } from './store-log.ts'
import { toMilliseconds } from './time-to-live.ts'

export interface RedisStoreOptions extends RedisAddress {
  readonly log: StoreLog
  /** Prefix of every key; `mcp:` by default. */
  readonly prefix?: string | undefined
  /** Deadline of a command, in milliseconds; 1000 by default. */
  readonly timeoutMs?: number | undefined
  /** `never` uses strings even where Redis has JSON commands. All nodes must agree. */
  readonly json?: 'detect' | 'never' | undefined
  /** `refuse`: not ready while Redis may evict keys. `warn` by default. */
  readonly eviction?: 'warn' | 'refuse' | undefined
  /** Generates the id of a lock's holder. */
  readonly randomId?: () => string
  /** From 0 to 1, for the jitter of the reconnect back-off. */
  readonly random?: () => number
  /** Monotonic time in milliseconds, for the detection of silent connections. */
  readonly monotonicNow?: () => number
}

/**
 * Connects in the background, and reconnects without limit. Until connected, operations throw
 * `unavailable`.
 * @throws TypeError for a malformed address or prefix
 */
export function createRedisStore(options: RedisStoreOptions): Store {
  const { log, randomId = randomUUID } = options
  const keys = createRedisKeys(options.prefix ?? 'mcp:')
  const link = {
    ...options,
    timeoutMs: options.timeoutMs ?? 1000,
    random: options.random ?? Math.random,
    monotonicNow: options.monotonicNow ?? (() => performance.now()),
  }
  const redis = createRedisConnection({
    ...link,
    onReady: () => {
      loadScripts(redis)
      detection.restart()
      health.connected()
    },
    onLost: (error) => health.lost(error),
    onLate: (error) => health.late(error),
    onInTime: () => health.inTime(),
  })
  const streams = createRedisStreams(redis, keys, link)
  const detection = createJsonDetection(redis, options.json ?? 'detect', log)
  const json = createJsonDocuments(redis)
  const strings = createStringDocuments(redis)
  const health = createRedisHealth({
    probe: async () => {
      const hasJson = await detection.hasJson().catch(() => false)
      return probeRedis(redis, keys, { timeoutMs: link.timeoutMs, hasJson })
    },
    log,
    eviction: options.eviction ?? 'warn',
    monotonicNow: link.monotonicNow,
  })

  const on = <T>(work: (documents: RedisDocuments) => Promise<T>) =>
    withDocuments(detection, { json, strings }, work)

  return {
    get: <T extends Document>(key: string) => on(({ get }) => get<T>(keys.document(key))),
    getAll: (names) => {
      const full = names.map(keys.document)
      const { known } = detection
      if (known === undefined) return on(({ getAll }) => getAll(full))
      return known ? json.getAll(full) : strings.getAll(full)
    },
    set: (key, value, ttl) => on(({ set }) => set(keys.document(key), value, ttl)),
    create: (key, value, ttl) => on(({ create }) => create(keys.document(key), value, ttl)),
    patch: (key, changes, options) =>
      on(({ patch }) => patch(keys.document(key), changes, options)),
    take: <T extends Document>(key: string) => on(({ take }) => take<T>(keys.document(key))),
    async touch(key, ttl) {
      const args = ['PEXPIRE', keys.document(key), String(toMilliseconds(ttl))]
      return (await redis.command(args)) === 1
    },
    delete: async (key) => (await redis.command(['DEL', keys.document(key)])) === 1,
    count: (key, ttl, by) => countInRedis(redis, keys.counter(key), ttl, by),
    lock: (key, ttl) => acquireRedisLock(redis, keys.lock(key), randomId(), ttl),
    async time() {
      const [seconds, microseconds] = (await redis.command(['TIME'])) as string[]
      return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)
    },
    checkHealth: health.check,
    async ping() {
      await redis.command(['PING'])
    },
    streams,
    async close() {
      health.close()
      await Promise.all([streams.close(), redis.close()])
    },
  }
}

/**
 * Loads scripts before any other command, since Redis drops its script cache on a restart. Without
 * it, the second of two pipelined commands could run first, if another node loaded the script between
 * them; entries out of order would look like those of another node. Where loading fails, scripts are
 * sent with EVAL.
 */
function loadScripts(redis: RedisConnection): void {
  for (const { source } of definedScripts()) {
    redis.command(['SCRIPT', 'LOAD', source]).catch(() => undefined)
  }
}

/** Synchronous once the document form is known, since this is on the hot path. */
function withDocuments<T>(
  { known, hasJson }: ReturnType<typeof createJsonDetection>,
  { json, strings }: { readonly json: RedisDocuments; readonly strings: RedisDocuments },
  work: (documents: RedisDocuments) => Promise<T>,
): Promise<T> {
  if (known !== undefined) return work(known ? json : strings)
  return hasJson().then((found) => work(found ? json : strings))
}

/** Detects JSON commands once per connection, since Redis may have been upgraded meanwhile. */
function createJsonDetection(redis: RedisConnection, json: 'detect' | 'never', log: StoreLog) {
  let asked: Promise<boolean> | undefined
  let logged: boolean | undefined

  async function ask(): Promise<boolean> {
    const found = json === 'detect' && (await hasCommand(redis, 'JSON.SET'))
    if (found !== logged) log.info({ json: found }, 'document form detected')
    logged = found
    return found
  }

  function hasJson(): Promise<boolean> {
    if (asked) return asked
    const asking = ask()
    asked = asking
    asking.then(
      (found) => {
        if (asked === asking) detection.known = found
      },
      () => {
        if (asked === asking) asked = undefined
      },
    )
    return asking
  }

  const detection = {
    /** Undefined until detected. */
    known: undefined as boolean | undefined,
    hasJson,
    restart(): void {
      detection.known = undefined
      asked = undefined
      hasJson().catch(() => undefined)
    },
  }
  return detection
}

async function hasCommand(redis: RedisConnection, name: string): Promise<boolean> {
  try {
    const reply = (await redis.command(['COMMAND', 'INFO', name])) as unknown[]
    return Array.isArray(reply[0])
  } catch (error) {
    // A provider may hide or deny COMMAND.
    const cause = error instanceof AppError ? error.cause : error
    if (cause instanceof ErrorReply && /^(?:NOPERM|ERR unknown)/.test(cause.message)) return false
    throw error
  }
}
