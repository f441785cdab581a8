/** One node as a process of its own: from the sources, told apart by its environment alone. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

export type Environment = Readonly<Record<string, string | undefined>>

export interface NodeOptions {
  readonly port: number
  /** 0 for one that nobody asks. */
  readonly metricsPort: number
  /** The whole environment, besides the ports. */
  readonly env: Environment
  /** What it serves; the starter if left out. */
  readonly project?: string | undefined
  /** Called with each line the node writes. */
  readonly onLine: (line: string) => void
}

export interface NodeProcess {
  readonly port: number
  /** Where its metrics are: one cannot ask the balancer for those of one node. */
  readonly metricsPort: number
  /** SIGTERM, and the wait until it is gone. */
  stop(): Promise<void>
}

const ROOT = join(import.meta.dirname, '../..')

/** The command, with the framework from its sources. */
const COMMAND = [
  '--conditions=@mcp-template/source',
  join(ROOT, 'packages/server/bin/mcp-template.js'),
  'start',
]

/** Longer than a server takes to stop, so that only one that hangs is killed. */
const PATIENCE_MS = 35_000

/**
 * Starts a node and waits until it is ready.
 * @throws Error with the end of what it wrote when it ends instead
 */
export async function startNode(options: NodeOptions): Promise<NodeProcess> {
  const { port, metricsPort, env, project = join(ROOT, 'starter'), onLine } = options
  const node = spawn(process.execPath, [...COMMAND, '--project', project], {
    env: { ...env, MASK_MCP_PORT: String(port), METRICS_PORT: String(metricsPort) },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C reaches a whole group of processes; nodes are stopped one by one, by us.
    detached: true,
  })
  const kill = () => void node.kill('SIGKILL')
  process.once('exit', kill)
  let ended = false
  const gone = once(node, 'exit').then(() => {
    ended = true
    process.off('exit', kill)
  })
  const last = lastLines(node, onLine)
  while (!(await isReady(port))) {
    if (ended) throw new Error(`A node did not start:\n${last.join('\n')}`)
    await delay(50)
  }
  return {
    port,
    metricsPort,
    async stop() {
      node.kill('SIGTERM')
      const timer = setTimeout(kill, PATIENCE_MS)
      await gone
      clearTimeout(timer)
    },
  }
}

/** What a balancer asks before it sends anybody: a node serves before its Redis is connected. */
async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok
  } catch {
    return false
  }
}

function lastLines(node: ChildProcess, onLine: (line: string) => void): readonly string[] {
  const last: string[] = []
  for (const stream of [node.stdout, node.stderr]) {
    if (stream === null) continue
    createInterface({ input: stream }).on('line', (line) => {
      last.push(line)
      if (last.length > 20) last.shift()
      onLine(line)
    })
  }
  return last
}
