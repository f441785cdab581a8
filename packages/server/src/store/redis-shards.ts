/** One connection for each server of a topology, closed once the server has no more keys. */

import type { RedisEndpoint } from '../config/redis-url.ts'
import type { RedisShard } from './redis-shard.ts'
import type { RedisTopology } from './redis-topology.ts'

/**
 * Delay before closing: commands may be in flight, or still be redirected to the server. Then those
 * without a reply fail: a master that hung and was replaced would acknowledge writes that are lost.
 */
const GRACE_MS = 1000
/** A server that imports its first slot has no keys of its own yet. Longer than between discoveries. */
const IMPORT_MS = 10_000

export type RedisShards = ReturnType<typeof createRedisShards>

/** @param open opens a connection, which then connects in the background */
export function createRedisShards(
  topology: RedisTopology,
  open: (endpoint: RedisEndpoint) => RedisShard,
) {
  const shards = new Map<RedisEndpoint, RedisShard>()
  const importing = new Map<RedisEndpoint, NodeJS.Timeout>()
  let sweeping: NodeJS.Timeout | undefined
  let closed = false

  function at(endpoint: RedisEndpoint): RedisShard {
    const known = shards.get(endpoint)
    if (known !== undefined) return known
    const shard = open(endpoint)
    if (closed) void shard.close()
    else shards.set(endpoint, shard)
    return shard
  }

  function sweep(): void {
    sweeping = undefined
    const owners = new Set(topology.owners())
    for (const [endpoint, shard] of shards) {
      if (owners.has(endpoint) || importing.has(endpoint)) continue
      shards.delete(endpoint)
      void shard.close(0)
    }
  }

  function sweepLater(): void {
    if (shards.size > topology.owners().length) sweeping ??= setTimeout(sweep, GRACE_MS).unref()
  }

  topology.onChange(() => {
    for (const endpoint of topology.owners()) at(endpoint)
    sweepLater()
  })

  return {
    at,
    /** A server imports a slot (ASK): keeps its connection, also if it has no other slots. */
    keep(endpoint: RedisEndpoint): void {
      clearTimeout(importing.get(endpoint))
      const ended = setTimeout(() => {
        importing.delete(endpoint)
        sweepLater()
      }, IMPORT_MS).unref()
      importing.set(endpoint, ended)
    },
    owners: () => topology.owners().map((endpoint) => [endpoint, at(endpoint)] as const),
    /** Any owner that is connected. */
    ready: () => topology.owners().find((endpoint) => shards.get(endpoint)?.state === 'ready'),
    readyCount: () => [...shards.values()].filter(({ state }) => state === 'ready').length,
    async close() {
      closed = true
      clearTimeout(sweeping)
      for (const timer of importing.values()) clearTimeout(timer)
      await Promise.all([...shards.values()].map((shard) => shard.close()))
    },
  }
}
