/** Several nodes with one Redis behind a load balancer, as in a deployment. */

import { freePort } from '../../packages/server/test/support/free-port.ts'
import { type Balancer, startBalancer } from './balancer.ts'
import { type Environment, type NodeProcess, startNode } from './node-process.ts'

export interface ClusterOptions {
  readonly size: number
  /** The complete environment of each node, except its ports. */
  readonly env: Environment
  /** The project to serve; the starter by default. */
  readonly project?: string
  /** The balancer's port; a free one by default. */
  readonly port?: number
  /** Called with each line of output and the node's number, starting at 1. */
  readonly onLine: (line: string, node: number) => void
}

export interface Cluster {
  /** The URL for clients: the balancer, or PUBLIC_URL. */
  readonly url: string
  readonly balancer: Balancer
  readonly nodes: readonly NodeProcess[]
  stop(): Promise<void>
}

/** Starts everything; resolves when every node is ready. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { size, env, project, port = 0, onLine } = options
  const ports = await freePorts(size)
  const metricsPorts = await freePorts(size)
  const balancer = await startBalancer({ nodes: ports, port, readyPath: '/readyz' })
  const url = env.PUBLIC_URL ?? balancer.url
  const start = (nodePort: number, index: number) =>
    startNode({
      ...{ port: nodePort, metricsPort: metricsPorts[index] ?? 0, project },
      env: { TRUSTED_PROXIES: '1', ...env, PUBLIC_URL: url },
      onLine: (line) => onLine(line, index + 1),
    })
  const started = await Promise.allSettled(ports.map(start))
  const nodes = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  const cluster: Cluster = {
    url,
    balancer,
    nodes,
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()))
      await balancer.close()
    },
  }
  const failed = started.find((each) => each.status === 'rejected')
  if (failed === undefined) return cluster
  await cluster.stop()
  throw failed.reason
}

async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = []
  while (ports.length < count) ports.push(await freePort())
  return ports
}
