/** The Redis of suites that run on every topology: `TEST_REDIS=cluster` or `sentinel` instead of one server. */

import { type RedisServer, startRedis } from './redis.ts'
import type { RedisKind } from './redis-binaries.ts'
import { type RedisTopologyServers, startRedisCluster } from './redis-cluster.ts'
import { startRedisSentinels } from './redis-sentinels.ts'

export const TOPOLOGIES = ['single', 'cluster', 'sentinel'] as const

export type SuiteTopology = (typeof TOPOLOGIES)[number]

/** @throws Error for a topology that does not exist: a suite must not run on another one silently */
export function suiteTopology(): SuiteTopology {
  const given = process.env.TEST_REDIS ?? 'single'
  const topology = TOPOLOGIES.find((name) => name === given)
  if (topology === undefined) throw new Error(`TEST_REDIS must be one of ${TOPOLOGIES.join(', ')}`)
  return topology
}

export interface SuiteRedis extends RedisServer {
  /** Makes each server announce another port; returns the value for `REDIS_URL`. */
  announce(portOf: (own: number) => number): Promise<string>
}

/** Actions apply to all of its servers. */
export async function startSuiteRedis(kind: RedisKind): Promise<SuiteRedis> {
  switch (suiteTopology()) {
    case 'cluster':
      return asOne(await startRedisCluster({ kind, replicas: 1 }))
    case 'sentinel':
      return asOne(await startRedisSentinels({ kind }))
    case 'single': {
      const server = await startRedis(kind)
      const announce: SuiteRedis['announce'] = async (portOf) =>
        `redis://127.0.0.1:${portOf(server.port)}`
      return { ...server, announce }
    }
  }
}

/** Treats all servers of a topology as one. */
export function asOne(topology: RedisTopologyServers): SuiteRedis {
  const { url, servers, announce, stop } = topology
  const all = async (work: (server: RedisServer) => Promise<void> | void) =>
    void (await Promise.all(servers.map(work)))
  return {
    ...{ url, servers, announce, stop, port: servers[0]?.port ?? 0 },
    kill: () => all((server) => server.kill()),
    pause() {
      for (const server of servers) server.pause()
    },
    resume() {
      for (const server of servers) server.resume()
    },
    restart: () => all((server) => server.restart()),
  }
}
