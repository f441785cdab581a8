/** Three server processes on one Redis behind the load balancer of `npm run cluster`. */

import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import {
  type Balancer,
  type BalancerOptions,
  startBalancer,
} from '../../../../scripts/cluster/balancer.ts'
import { untilReady } from './cluster.ts'
import type { Listening } from './event-reader.ts'
import { freePort } from './free-port.ts'
import { type ServerProcess, startServerProcess } from './process.ts'
import type { RedisServer } from './redis.ts'
import type { RedisKind } from './redis-binaries.ts'
import { type SuiteRedis, startSuiteRedis } from './redis-of-suite.ts'

/** Tools for tests of several nodes. */
export const CLUSTER_CATALOG = join(import.meta.dirname, '../fixtures/cluster')

export interface ThreeNodes {
  /** All three, round-robin. */
  readonly url: string
  readonly balancer: Balancer
  readonly redis: RedisServer
  /** The URL of each node. */
  readonly urls: readonly [a: string, b: string, c: string]
  node(index: number): ServerProcess
  /** The index of a node by its process. */
  indexOf(pid: number): number
  /** Replaces an ended process. */
  revive(index: number): Promise<void>
  /** The output of all nodes, ended ones included. */
  logs(): string
  stop(): Promise<void>
}

type Variables = Readonly<Record<string, string>>

export interface ThreeNodesOptions {
  readonly kind?: RedisKind
  /** Replaces their private Redis; stopped with them. */
  readonly redis?: SuiteRedis
  /** Additional variables of a node, by its index. */
  readonly env?: (index: number) => Variables
  /** Overrides the `REDIS_URL` of the nodes. */
  readonly redisUrl?: (redis: SuiteRedis) => Promise<string>
  /** Options of the load balancer. */
  readonly balancing?: Pick<BalancerOptions, 'firstNode' | 'handOver'>
}

export async function startThreeNodes(options: ThreeNodesOptions = {}): Promise<ThreeNodes> {
  const { kind = 'plain', env = () => ({}), redisUrl } = options
  const redis = options.redis ?? (await startSuiteRedis(kind))
  const ports = [await freePort(), await freePort(), await freePort()] as const
  const balancer = await startBalancer({
    ...options.balancing,
    ...{ nodes: ports, readyPath: '/readyz' },
  })
  const processes: ServerProcess[] = []
  const common = {
    ...{ LOG_LEVEL: 'debug', STOP_DELAY: '0', TOOLS_DIR: CLUSTER_CATALOG },
    // A busy machine is not a failing Redis; tests of failures set a shorter one.
    STORE_TIMEOUT_MS: '10000',
    PUBLIC_URL: balancer.url,
    REDIS_URL: redisUrl ? await redisUrl(redis) : redis.url,
  }

  async function start(index: number): Promise<ServerProcess> {
    const port = ports[index] ?? 0
    const started = await startServerProcess({
      env: { ...common, ...env(index), MASK_MCP_PORT: String(port) },
    })
    processes.push(started)
    await untilReady(port)
    return started
  }

  const nodes = await Promise.all(ports.map((_, index) => start(index)))
  const [a, b, c] = ports.map((port) => `http://localhost:${port}`)
  return {
    url: balancer.url,
    balancer,
    redis,
    urls: [a ?? '', b ?? '', c ?? ''],
    node(index) {
      const node = nodes[index]
      if (node === undefined) throw new RangeError(`There is no node ${index}`)
      return node
    },
    indexOf: (pid) => nodes.findIndex(({ child }) => child.pid === pid),
    async revive(index) {
      nodes[index] = await start(index)
      // The load balancer has to notice, which may still wait for a probe of the ended process.
      await expect.poll(() => balancer.ready[index]).toBe(true)
    },
    logs: () => processes.map(({ output }) => output.stdout + output.stderr).join(''),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()))
      await balancer.close()
      await redis.stop()
    },
  }
}

/**
 * Starts three nodes before the tests of a suite, and stops them afterwards. Clients passed to
 * the returned function are closed after the test.
 */
export function useThreeNodes(
  onStarted: (nodes: ThreeNodes) => void,
  options: ThreeNodesOptions = {},
): <Stream extends Pick<Listening, 'close'>>(stream: Stream) => Stream {
  let nodes: ThreeNodes | undefined
  const open: Pick<Listening, 'close'>[] = []
  beforeAll(async () => {
    nodes = await startThreeNodes(options)
    onStarted(nodes)
  })
  afterEach(() => {
    for (const stream of open.splice(0)) stream.close()
  })
  afterAll(() => nodes?.stop())
  return (stream) => {
    open.push(stream)
    return stream
  }
}

/** Log lines that healthy nodes must not write. */
export function faultsIn(logs: string): readonly string[] {
  return logs
    .split('\n')
    .filter((line) => /"level":"(error|fatal)"|unhandled/i.test(line))
    .map((line) => line.slice(0, 600))
}
