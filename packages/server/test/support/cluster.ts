/** Two server processes on one Redis behind a balancer, as they would be deployed. */

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
  /** Ends all processes, one after the other, and starts others in their places. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** The pages of one sign-in take turns together: confirmed here, called back there. */
function pagesTogether(segment: string): string {
  return ['connect', 'callback'].includes(segment) ? 'pages' : segment
}

type Variables = Readonly<Record<string, string>>

/** Starts everything; `environment` is for both processes, and may depend on their address. */
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

/** What a balancer asks before it sends anybody: a node serves before its Redis is connected. */
export async function untilReady(port: number): Promise<void> {
  const { ok } = await fetch(`http://127.0.0.1:${port}/readyz`)
  if (ok) return
  await delay(50)
  await untilReady(port)
}
