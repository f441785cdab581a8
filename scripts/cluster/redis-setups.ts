/** Redis servers on this machine: one, a Redis Cluster, or a master that Sentinels watch. */

import { startRedis } from '../../packages/server/test/support/redis.ts'
import { startRedisCluster } from '../../packages/server/test/support/redis-cluster.ts'
import { startRedisSentinels } from '../../packages/server/test/support/redis-sentinels.ts'

export const SETUPS = ['single', 'cluster', 'sentinel'] as const
export type Setup = (typeof SETUPS)[number]

export interface RunningRedis {
  /** For REDIS_URL. */
  readonly url: string
  /** What runs where, and a command that causes a failover; one line each. */
  readonly facts: readonly string[]
  stop(): Promise<void>
}

/** Until a server that does not answer counts as failed. */
const FAILED_MS = 5000

/**
 * Starts the servers of a setup.
 * @throws Error if redis-server is not installed, or too old
 */
export async function startSetup(setup: Setup): Promise<RunningRedis> {
  const start = { single: startSingle, cluster: startCluster, sentinel: startSentinels }[setup]
  try {
    return await start()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const needed = setup === 'cluster' ? 'redis-server 7 or later' : 'redis-server'
    throw new Error(`--redis=${setup} needs ${needed} in PATH: ${reason}`, { cause: error })
  }
}

async function startSingle(): Promise<RunningRedis> {
  return { ...(await startRedis('plain')), facts: [] }
}

/** Three masters with a replica each. */
async function startCluster(): Promise<RunningRedis> {
  const { url, servers, stop } = await startRedisCluster({ replicas: 1, nodeTimeoutMs: FAILED_MS })
  const [masters, replicas] = [servers.slice(0, 3), servers.slice(3)]
  const facts = [
    `Masters on the ports ${portsOf(masters)}, replicas on ${portsOf(replicas)}.`,
    `A failover: redis-cli -p ${replicas[0]?.port} cluster failover`,
  ]
  return { url, facts, stop }
}

/** A master with two replicas, and three Sentinels. */
async function startSentinels(): Promise<RunningRedis> {
  const { url, servers, sentinels, stop } = await startRedisSentinels({ downAfterMs: FAILED_MS })
  const [master, ...replicas] = servers
  const name = url.split('/').at(-1)
  const facts = [
    `Sentinels on the ports ${portsOf(sentinels)}; the master on ${master?.port}, replicas on ${portsOf(replicas)}.`,
    `A failover: redis-cli -p ${sentinels[0]?.port} sentinel failover ${name}`,
  ]
  return { url, facts, stop }
}

const portsOf = (servers: readonly { readonly port: number }[]) =>
  servers.map(({ port }) => port).join(', ')
