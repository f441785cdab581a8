/** The Redis of suites that run on every topology: `TEST_REDIS=cluster` or `sentinel` instead of one server. */

import { type RedisServer, startRedis } from './redis.ts'
import type { RedisKind } from './redis-binaries.ts'
import { type RedisTopologyServers, startRedisCluster } from './redis-cluster.ts'
import { startRedisSentinels } from './redis-sentinels.ts'

/** What is done to it is done to all of its servers. */
export async function startSuiteRedis(kind: RedisKind): Promise<RedisServer> {
  const topology = process.env.TEST_REDIS
  if (topology === 'cluster') return asOne(await startRedisCluster({ kind, replicas: 1 }))
  if (topology === 'sentinel') return asOne(await startRedisSentinels())
  return startRedis(kind)
}

/** All servers of a topology, as one. */
export function asOne({ url, servers, stop }: RedisTopologyServers): RedisServer {
  const all = async (work: (server: RedisServer) => Promise<void> | void) =>
    void (await Promise.all(servers.map(work)))
  return {
    ...{ url, stop, port: servers[0]?.port ?? 0 },
    kill: () => all((server) => server.kill()),
    pause: () => void all((server) => server.pause()),
    resume: () => void all((server) => server.resume()),
    restart: () => all((server) => server.restart()),
  }
}
