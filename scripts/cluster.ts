/**
 * Starts three nodes of the server and a balancer in front of them on this machine. Redis is the one
 * of REDIS_URL, or a private one that is gone at the end. The balancer takes MASK_MCP_PORT.
 */

import { type RedisServer, startRedis } from '../test/support/redis.ts'
import { type Cluster, startCluster } from './cluster/cluster.ts'

const SIZE = 3
const DEFAULT_PORT = 6901

let redis: RedisServer | undefined
let cluster: Cluster | undefined

async function start(): Promise<void> {
  if (process.env.REDIS_URL === undefined) redis = await startRedis('plain')
  cluster = await startCluster({
    size: SIZE,
    env: { ...process.env, ...(redis !== undefined && { REDIS_URL: redis.url }) },
    port: Number(process.env.MASK_MCP_PORT ?? DEFAULT_PORT),
    onLine: (line, node) => console.log(`[node ${node}] ${line}`),
  })
  const ports = cluster.nodes.map(({ port }) => port).join(', ')
  console.log(`\n${cluster.url}/mcp is served by ${SIZE} nodes, on the ports ${ports}.`)
  console.log(`Redis is ${redis?.url ?? 'that of REDIS_URL'}. Ctrl-C stops everything.\n`)
}

/** Cleanly once everything is up; before that, and the second time, at once. */
async function stop(): Promise<void> {
  const running = cluster
  cluster = undefined
  if (running === undefined) process.exit(1)
  await running.stop()
  await redis?.stop()
  console.log(`Requests per node: ${running.balancer.served.join(', ')}`)
  process.exit(0)
}

process.on('SIGINT', stop)
process.on('SIGTERM', stop)

try {
  await start()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  await redis?.stop()
  process.exitCode = 1
}
