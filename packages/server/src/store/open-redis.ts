/** Connects to the store: a single Redis server, or the servers of a topology. */

import type { RedisEndpoint } from '../config/redis-url.ts'
import type { Store } from './port.ts'
import type { RedisConnection } from './redis-connection.ts'
import type { StreamHosts } from './redis-follower.ts'
import type { RedisLinkOptions } from './redis-link.ts'
import type { ProbeResult } from './redis-probe.ts'
import { createRoutedConnection } from './redis-routed-connection.ts'
import { openTopology, type RedisServers, serverAt } from './redis-servers.ts'
import { createRedisShard } from './redis-shard.ts'
import { RedisShards } from './redis-shards.ts'
import { createShardsHealth, healthTagOf } from './redis-shards-health.ts'
import { addressOf, type RedisTopology } from './redis-topology.ts'
import type { Unfit } from './redis-unfit.ts'
import type { StoreLog } from './store-log.ts'

/** The server, as the health probe needs it. */
export interface ProbedServer {
  /** The hash tag of the probe's keys, whose slot this server has. */
  readonly tag: string
  /** Whether keys of other tags are sent to other servers. */
  readonly isRouted: boolean
}

export interface OpenRedisOptions
  extends Pick<RedisLinkOptions, 'timeoutMs' | 'log' | 'random' | 'monotonicNow'> {
  readonly eviction: 'warn' | 'refuse'
  readonly probe: (connection: RedisConnection, server: ProbedServer) => Promise<ProbeResult>
  /** Called when a connection is ready; `isFirst` if no other one is. */
  readonly onReady: (isFirst: boolean) => void
}

interface OpenedRedis extends Pick<Store, 'checkHealth' | 'close'> {
  readonly redis: RedisConnection
  /** The servers on which streams can be read with blocking commands. */
  readonly hosts: StreamHosts
  readonly shards: NonNullable<Store['shards']>
}

/** Connects in the background. */
export function openServers(servers: RedisServers, options: OpenRedisOptions): OpenedRedis {
  const { log, monotonicNow } = options
  const topology = openTopology(servers, { log, monotonicNow })
  return topology === undefined
    ? openSingle(servers, options)
    : openSeveral(servers, topology, options)
}

function openSeveral(
  servers: RedisServers,
  topology: RedisTopology,
  options: OpenRedisOptions,
): OpenedRedis {
  const { eviction, log, monotonicNow, random, timeoutMs } = options
  const isCluster = servers.mode === 'cluster'
  const probeOf = createShardProbe(topology, isCluster, options)
  const shards = new RedisShards(topology, (endpoint) =>
    createRedisShard({
      ...{ eviction, monotonicNow, random, timeoutMs },
      log: withAddress(log, addressOf(endpoint)),
      address: () => serverAt(servers, endpoint),
      isFixed: true,
      onReady: () => options.onReady(shards.readyCount() === 1),
      onTrouble: () => topology.suspect(),
      probe: probeOf(endpoint),
    }),
  )
  const redis = createRoutedConnection({
    ...{ topology, shards, isCluster, timeoutMs, monotonicNow },
  })
  const health = createShardsHealth(topology, shards, { log, isCluster })
  topology.start()
  return {
    redis,
    hosts: {
      addressOf(key) {
        const endpoint = topology.ownerOf(key)
        return endpoint && serverAt(servers, endpoint)
      },
      onChange: (listener) => topology.onChange(listener),
      suspect: () => topology.suspect(),
    },
    checkHealth: health.check,
    shards: health.count,
    async close() {
      health.close()
      await redis.close()
    },
  }
}

/** Probes one of several servers; a server that is unfit puts the topology in doubt. */
function createShardProbe(
  topology: RedisTopology,
  isCluster: boolean,
  { log, probe }: OpenRedisOptions,
) {
  let hasWarned = false
  /** Once, since the servers of a cluster have the same users. */
  const warnOfAsking = (why: Unfit) => {
    if (!hasWarned) log.warn({ ...why }, 'Redis refuses ASKING; requests fail while slots move')
    hasWarned = true
  }
  return (endpoint: RedisEndpoint) => {
    let tag: string | undefined
    return async (connection: RedisConnection): Promise<ProbeResult> => {
      tag = healthTagOf(topology, endpoint, tag)
      const result = await probe(connection, { tag, isRouted: isCluster })
      if (result.unfit !== undefined) topology.suspect()
      if (result.refusesAsking !== undefined) warnOfAsking(result.refusesAsking)
      return result
    }
  }
}

function withAddress(log: StoreLog, address: string): StoreLog {
  return {
    info: (fields, message) => log.info({ ...fields, address }, message),
    warn: (fields, message) => log.warn({ ...fields, address }, message),
  }
}

function openSingle(servers: RedisServers, options: OpenRedisOptions): OpenedRedis {
  const { eviction, log, monotonicNow, random, timeoutMs } = options
  const shard = createRedisShard({
    ...{ eviction, log, monotonicNow, random, timeoutMs },
    address: () => servers,
    onReady: () => options.onReady(true),
    probe: (connection) => options.probe(connection, { tag: '{health}', isRouted: false }),
  })
  return {
    redis: shard.connection,
    hosts: {
      addressOf: () => servers,
      onChange: () => () => undefined,
      suspect: () => undefined,
    },
    checkHealth: () => shard.health.check(),
    shards: () => ({ total: 1, ready: shard.health.isFit() ? 1 : 0 }),
    close: shard.close,
  }
}
