/** The store that nodes share: Redis 6.2 or later, with or without JSON commands, in any topology. */

import { randomUUID } from 'node:crypto'
import { openServers } from './open-redis.ts'
import type { Document, Store } from './port.ts'
import type { RedisConnection } from './redis-connection.ts'
import { countInRedis } from './redis-counter.ts'
import type { RedisDocuments } from './redis-documents.ts'
import { JsonDetection } from './redis-json-detection.ts'
import { createJsonDocuments } from './redis-json-documents.ts'
import { createRedisKeys, type RedisKeys } from './redis-keys.ts'
import { acquireRedisLock } from './redis-lock.ts'
import { probeRedis } from './redis-probe.ts'
import { type RedisServers, resolveServers } from './redis-servers.ts'
import { createRedisStreams } from './redis-streams.ts'
import { createStringDocuments } from './redis-string-documents.ts'
import type { StoreLog } from './store-log.ts'
import { toMilliseconds } from './time-to-live.ts'

export interface RedisStoreOptions extends RedisServers {
  readonly log: StoreLog
  /** Prefix of every key; `mcp:` by default. */
  readonly prefix?: string | undefined
  /** Deadline of a command, in milliseconds; 1000 by default. */
  readonly timeoutMs?: number | undefined
  /**
   * `detect`: the form of the stored documents; in an empty store JSON where Redis has the commands.
   * `never`: strings. All nodes must agree.
   */
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

/** In the slot of the messages between nodes. */
const CLOCK_KEY = '{nodes}'
const FORM_KEY = '{nodes}:form'

/**
 * Connects in the background, and reconnects without limit. Until connected, operations throw
 * `unavailable`.
 * @throws TypeError for a malformed address or prefix
 */
export function createRedisStore(options: RedisStoreOptions): Store {
  const { log, randomId = randomUUID } = options
  const keys = createRedisKeys(options.prefix ?? 'mcp:')
  const timeoutMs = options.timeoutMs ?? 1000
  const { eviction = 'warn', random = Math.random } = options
  const { monotonicNow = () => performance.now() } = options
  const { redis, hosts, ...servers } = openServers(resolveServers(options), {
    ...{ log, timeoutMs, eviction, random, monotonicNow },
    async probe(connection, at) {
      const hasJson = await detection.hasJson().catch(() => false)
      detection.confirm().catch(() => undefined)
      return probeRedis(connection, keys, { timeoutMs, hasJson, ...at })
    },
    onReady: (isFirst) => {
      if (isFirst) detection.restart()
    },
  })
  const streams = createRedisStreams(redis, keys, { timeoutMs, log, random, monotonicNow, hosts })
  const form = { json: options.json ?? 'detect', formKey: keys.document(FORM_KEY), log }
  const detection = new JsonDetection(redis, form)

  return {
    ...documentOperations(redis, keys, detection),
    count: (key, ttl, by) => countInRedis(redis, keys.counter(key), ttl, by),
    lock: (key, ttl) => acquireRedisLock(redis, keys.lock(key), randomId(), ttl),
    time: () => readClock(redis),
    checkHealth: servers.checkHealth,
    shards: servers.shards,
    async ping() {
      await redis.command(['PING'])
    },
    streams,
    async close() {
      await Promise.all([streams.close(), servers.close()])
    },
  }
}

type DocumentOperations = Pick<
  Store,
  'get' | 'getAll' | 'set' | 'create' | 'patch' | 'take' | 'touch' | 'delete'
>

function documentOperations(
  redis: RedisConnection,
  keys: RedisKeys,
  detection: JsonDetection,
): DocumentOperations {
  const json = createJsonDocuments(redis)
  const strings = createStringDocuments(redis)

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
      const name = keys.document(key)
      return (await redis.command(['PEXPIRE', name, String(toMilliseconds(ttl))], name)) === 1
    },
    async delete(key) {
      const name = keys.document(key)
      return (await redis.command(['DEL', name], name)) === 1
    },
  }
}

/** Unix time in milliseconds. The clocks of servers differ: reads always the same one. */
async function readClock(redis: RedisConnection): Promise<number> {
  const [seconds, microseconds] = (await redis.command(['TIME'], CLOCK_KEY)) as string[]
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)
}

/** Synchronous once the document form is known, since this is on the hot path. */
function withDocuments<T>(
  detection: JsonDetection,
  { json, strings }: { readonly json: RedisDocuments; readonly strings: RedisDocuments },
  work: (documents: RedisDocuments) => Promise<T>,
): Promise<T> {
  if (detection.known !== undefined) return work(detection.known ? json : strings)
  return detection.hasJson().then((found) => work(found ? json : strings))
}
