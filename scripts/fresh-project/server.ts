/** Runs the project's server as a process. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../../packages/server/test/support/free-port.ts'

const COMMAND = 'node_modules/@mcp-template/server/bin/mcp-template.js'

/** Exceeds the start time on a busy machine. */
const PATIENCE_MS = 180_000

export interface ServerOptions {
  readonly project: string
  readonly node: string
  readonly env: NodeJS.ProcessEnv
  readonly command: 'start' | 'dev'
}

export interface ProjectServer {
  readonly url: string
  /** Changes the title in src/server.ts; resolves when the landing page shows it. */
  rename(project: string, title: string): Promise<void>
  /** Sends SIGTERM; rejects unless the process exits with 0. */
  stop(): Promise<void>
}

/** Resolves when the server is ready; rejects with its output if it exits before. */
export async function startServer(options: ServerOptions): Promise<ProjectServer> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const child = spawn(options.node, [COMMAND, options.command], {
    cwd: options.project,
    env: { ...options.env, MASK_MCP_PORT: String(port), STOP_DELAY: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed: string[] = []
  child.stdout.on('data', (chunk) => printed.push(String(chunk)))
  child.stderr.on('data', (chunk) => printed.push(String(chunk)))
  const until = async (isSo: () => Promise<boolean>) => {
    const deadline = performance.now() + PATIENCE_MS
    while (!(await isSo().catch(() => false))) {
      if (!hasEnded(child) && performance.now() < deadline) await delay(20)
      else await fail(child, `${options.command} failed:\n${printed.join('').slice(-4000)}`)
    }
  }
  await until(async () => (await fetch(`${url}/readyz`)).ok)

  return {
    url,
    async rename(project, title) {
      const file = join(project, 'src/server.ts')
      const text = readFileSync(file, 'utf8')
      writeFileSync(file, text.replace(/title: '.*'/, `title: '${title}'`))
      const page = () => fetch(url, { headers: { accept: 'text/html' } })
      await until(async () => (await (await page()).text()).includes(title))
    },
    async stop() {
      if (!hasEnded(child)) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      if (child.exitCode !== 0) throw new Error(`${options.command} ended with ${child.exitCode}`)
    },
  }
}

async function fail(child: ChildProcess, message: string): Promise<never> {
  child.kill('SIGKILL')
  throw new Error(message)
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}
