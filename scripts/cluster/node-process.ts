/** One node as a separate process: runs from the sources, configured only by its environment. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

export type Environment = Readonly<Record<string, string | undefined>>

export interface NodeOptions {
  readonly port: number
  /** 0 if nothing scrapes it. */
  readonly metricsPort: number
  /** The complete environment, except the ports. */
  readonly env: Environment
  /** The project to serve; the starter by default. */
  readonly project?: string | undefined
  /** Called with each line of output. */
  readonly onLine: (line: string) => void
}

export interface NodeProcess {
  readonly port: number
  /** The URL of its metrics: a balancer cannot select a node. */
  readonly metricsPort: number
  /** Sends SIGTERM and waits for the exit. */
  stop(): Promise<void>
}

const ROOT = join(import.meta.dirname, '../..')

/** The command, which runs the framework from its sources. */
const COMMAND = [
  '--conditions=@mcp-template/source',
  join(ROOT, 'packages/server/bin/mcp-template.js'),
  'start',
]

/** Exceeds the time of a graceful shutdown: only a hung server is killed. */
const PATIENCE_MS = 35_000

/**
 * Starts a node and waits until it is ready.
 * @throws Error with the end of its output, if it exits instead
 */
export async function startNode(options: NodeOptions): Promise<NodeProcess> {
  const { port, metricsPort, env, project = join(ROOT, 'starter'), onLine } = options
  const node = spawn(process.execPath, [...COMMAND, '--project', project], {
    env: { ...env, MASK_MCP_PORT: String(port), METRICS_PORT: String(metricsPort) },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C signals the whole process group; this script stops the nodes one by one.
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

/** A node serves before its Redis is connected, and is ready with the first shard of several. */
async function isReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`)
    return response.ok && !(await response.text()).includes('redis_degraded')
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
