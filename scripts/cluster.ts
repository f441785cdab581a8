/**
 * Starts three nodes of the server behind a load balancer on this machine, with the server's
 * configuration. Uses the configured Redis, or temporary servers: one, or with `--redis=cluster`
 * and `--redis=sentinel` a Redis Cluster or a master that Sentinels watch. The balancer listens on
 * MASK_MCP_PORT; nodes and their metrics use free ports.
 */

import { parseArgs } from 'node:util'
import { Faults } from '../packages/server/src/config/faults.ts'
import { readSources } from '../packages/server/src/config/sources.ts'
import { loadConfig } from '../packages/server/src/config.ts'
import { type Cluster, startCluster } from './cluster/cluster.ts'
import { type RunningRedis, SETUPS, type Setup, startSetup } from './cluster/redis-setups.ts'

const SIZE = 3

let redis: RunningRedis | undefined
let cluster: Cluster | undefined

async function start(): Promise<void> {
  const argv = process.argv.slice(2)
  const sources = { argv, env: process.env, cwd: process.cwd(), isAlone: true }
  const { config } = loadConfig(sources)
  const setup = setupOf(argv)
  if (setup !== undefined && config.store.kind !== 'memory') {
    throw new Error('--redis starts servers of its own: remove the REDIS_ variables, or --redis')
  }
  if (config.store.kind === 'memory') redis = await startSetup(setup ?? 'single')
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
  console.log(`Redis is ${redis?.url ?? 'the configured one'}.`)
  for (const fact of redis?.facts ?? []) console.log(fact)
  console.log('Ctrl-C stops everything.\n')
}

/** The value of `--redis`; undefined without it. */
function setupOf(args: readonly string[]): Setup | undefined {
  const options = { redis: { type: 'string' } } as const
  const { redis: given } = parseArgs({ args: [...args], options, strict: false }).values
  const setup = SETUPS.find((each) => each === given)
  if (given !== undefined && setup === undefined) {
    throw new Error(`--redis must be one of ${SETUPS.join(', ')}`)
  }
  return setup
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
