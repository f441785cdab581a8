/** The deployments under test: one node with an in-memory store, and three nodes that share one. */

import { appendFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../packages/server/test/support/free-port.ts'
import { findRedis } from '../../packages/server/test/support/redis-binaries.ts'
import {
  startSuiteRedis,
  suiteTopology,
} from '../../packages/server/test/support/redis-of-suite.ts'
import { startCluster } from '../cluster/cluster.ts'
import { startNode } from '../cluster/node-process.ts'
import { PRE_REGISTERED } from './authorization.ts'

export interface Topology {
  readonly name: string
  /** Why it cannot start here; undefined if it can. */
  missing(): string | undefined
  /** `folder` receives the logs; emptied first. */
  start(folder: string): Promise<RunningTopology>
}

export interface RunningTopology {
  readonly url: string
  /** Stops everything and returns internal errors. */
  stop(): Promise<readonly string[]>
}

const FIXTURES = join(import.meta.dirname, '../../conformance')

/** Independent of the caller's environment: runs must be reproducible. */
const ENVIRONMENT = {
  PATH: process.env.PATH,
  NODE_ENV: 'test',
  STOP_DELAY: '0',
  // A busy machine is not a failing Redis.
  STORE_TIMEOUT_MS: '10000',
  OAUTH_CLIENTS: JSON.stringify([PRE_REGISTERED]),
}

export const oneNode: Topology = {
  name: 'one node, memory',
  missing: () => undefined,
  async start(folder) {
    const logs = openLogs(folder)
    const port = await freePort()
    const onLine = logs.of('node')
    const node = await startNode({
      port,
      metricsPort: 0,
      env: ENVIRONMENT,
      project: FIXTURES,
      onLine,
    })
    return {
      url: `http://localhost:${port}`,
      async stop() {
        await node.stop()
        return logs.errors()
      },
    }
  },
}

const REDIS_NAMES = { single: 'Redis', cluster: 'Redis Cluster', sentinel: 'Redis Sentinel' }

export const threeNodes: Topology = {
  name: `three nodes, ${REDIS_NAMES[suiteTopology()]}`,
  missing() {
    const found = findRedis('plain')
    return 'missing' in found ? found.missing : undefined
  },
  async start(folder) {
    const logs = openLogs(folder)
    const redis = await startSuiteRedis('plain')
    const cluster = await startCluster({
      size: 3,
      env: { ...ENVIRONMENT, REDIS_URL: redis.url },
      project: FIXTURES,
      onLine: (line, node) => logs.of(`node-${node}`)(line),
    })
    const { served } = cluster.balancer
    return {
      url: cluster.url,
      async stop() {
        await cluster.stop()
        await redis.stop()
        const idle = served.includes(0) ? [`requests per node: ${served.join(', ')}`] : []
        return [...idle, ...logs.errors()]
      },
    }
  },
}

/** Writes logs to files and collects lines at level error, since no internal error is expected. */
function openLogs(folder: string) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const errors: string[] = []
  return {
    of: (name: string) => (line: string) => {
      appendFileSync(join(folder, `${name}.log`), `${line}\n`)
      if (/"level":"(error|fatal)"/.test(line)) errors.push(`${name}: ${line}`)
    },
    errors: (): readonly string[] => errors,
  }
}
