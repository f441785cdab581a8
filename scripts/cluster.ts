/**
 * Starts three nodes of the server behind a load balancer on this machine, with the server's
 * configuration. Uses the configured Redis, or a temporary one. The balancer listens on
 * MASK_MCP_PORT; nodes and their metrics use free ports.
 */

import { Faults } from '../packages/server/src/config/faults.ts'
import { readSources } from '../packages/server/src/config/sources.ts'
import { loadConfig } from '../packages/server/src/config.ts'
import { type RedisServer, startRedis } from '../packages/server/test/support/redis.ts'
import { type Cluster, startCluster } from './cluster/cluster.ts'

const SIZE = 3

let redis: RedisServer | undefined
let cluster: Cluster | undefined

async function start(): Promise<void> {
  const sources = { argv: process.argv.slice(2), env: process.env, cwd: process.cwd() }
  const { config } = loadConfig(sources)
  if (config.store.kind === 'memory') redis = await startRedis('plain')
  cluster = await startCluster({
    size: SIZE,
    env: {
      ...readSources(sources, new Faults()),
      ...(redis !== undefined && { REDIS_URL: redis.url }),
    },
    port: config.http.port,
    onLine: (line, node) => console.log(`[node ${node}] ${line}`),
  })
  const ports = cluster.nodes.map(({ port }) => port).join(', ')
  console.log(`\n${cluster.url}/mcp is served by ${SIZE} nodes, on the ports ${ports}.`)
  for (const { metricsPort } of cluster.nodes) {
    console.log(`Metrics: http://localhost:${metricsPort}/metrics`)
  }
  console.log(`Redis is ${redis?.url ?? 'the configured one'}. Ctrl-C stops everything.\n`)
}

/** Graceful shutdown once the nodes run; before that, or on the second signal, exits at once. */
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
