/** Two server processes on one Redis behind a load balancer, as in a deployment. */

import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { type ServerProcess, startServerProcess } from './process.ts'
import {
  type RecordingBalancer,
  type RecordingOptions,
  startRecordingBalancer,
} from './recording-balancer.ts'

export interface Cluster {
  readonly balancer: RecordingBalancer
  readonly nodes: readonly ServerProcess[]
  /** Replaces all processes, one after the other (rolling update). */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Distributes the pages of one sign-in over the nodes. */
function pagesTogether(segment: string): string {
  return ['connect', 'callback'].includes(segment) ? 'pages' : segment
}

type Variables = Readonly<Record<string, string>>

/** Starts everything; `environment` applies to both processes, and may depend on their URL. */
export async function startCluster(
  environment: (url: string) => Variables | Promise<Variables>,
  options: Omit<RecordingOptions, 'nodes'> = {},
): Promise<Cluster> {
  const ports = [await freePort(), await freePort()]
  const balancer = await startRecordingBalancer({
    turnsBy: pagesTogether,
    ...options,
    nodes: ports,
  })
  const env = await environment(balancer.url)
  const start = async (port: number) => {
    const own = { PUBLIC_URL: balancer.url, MASK_MCP_PORT: String(port) }
    const node = await startServerProcess({ env: { ...env, ...own } })
    await untilReady(port)
    return node
  }
  const nodes = await Promise.all(ports.map(start))
  return {
    balancer,
    nodes,
    async restart() {
      for (const [index, port] of ports.entries()) {
        await nodes[index]?.stop()
        nodes[index] = await start(port)
      }
    },
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()))
      await balancer.close()
    },
  }
}

/**
 * A node listens before its Redis is connected, and is ready with the first shard: a request of a test may
 * need any other.
 */
export async function untilReady(port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`)
  const text = await response.text()
  if (response.ok && !text.includes('redis_degraded')) return
  await delay(50)
  await untilReady(port)
}
