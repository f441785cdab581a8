/** A server with several workers on a private Redis. */

import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { freePort } from './free-port.ts'
import { type ServerProcess, spawnServer } from './process.ts'
import type { RedisServer } from './redis.ts'
import { CLUSTER_CATALOG } from './three-nodes.ts'

type Variables = Readonly<Record<string, string>>

export interface Workers {
  readonly url: string
  /** The primary process. */
  readonly server: ServerProcess
  /** All log lines so far with this message. */
  lines(message: string): readonly Line[]
  /** The process of a worker by its number: the last that became ready. */
  pidOf(worker: number): number
}

export type Line = Readonly<Record<string, unknown>>

/** Starts two workers unless `env` says otherwise, and waits until all are ready. */
export async function startWorkers(redis: RedisServer, env: Variables = {}): Promise<Workers> {
  const port = await freePort()
  const common = {
    ...{ NODE_ENV: 'test', WORKERS: '2', REDIS_URL: redis.url, STOP_DELAY: '0' },
    ...{ TOOLS_DIR: CLUSTER_CATALOG, MASK_MCP_PORT: String(port) },
  }
  const server = spawnServer({ env: { ...common, ...env } })
  const log = () =>
    env.LOG_FILE === undefined ? server.output.stdout : readFileSync(env.LOG_FILE, 'utf8')
  const lines = (message: string) => linesIn(log(), message)
  await expect.poll(() => lines('workers ready').length, { timeout: 120_000 }).toBe(1)
  // Each process writes its own lines.
  await expect.poll(() => lines('ready').length).toBe(Number(env.WORKERS ?? 2))
  return {
    url: `http://localhost:${port}`,
    server,
    lines,
    pidOf(worker) {
      const line = lines('ready').findLast((each) => each.worker === worker)
      return Number(line?.pid ?? expect.fail(`worker ${worker} is not ready`))
    },
  }
}

/** All log lines of a text with this message. */
export function linesIn(text: string, message: string): readonly Line[] {
  return text
    .split('\n')
    .filter((line) => line.includes(`"msg":${JSON.stringify(message)}`))
    .map((line) => JSON.parse(line) as Line)
}

/** The running workers of a primary, ready or not; on Linux. */
export function forkedBy(primary: number | undefined): readonly number[] {
  const tasks = `/proc/${primary}/task`
  const children = readdirSync(tasks).flatMap((task) =>
    readFileSync(`${tasks}/${task}/children`, 'utf8').trim().split(' '),
  )
  return children.map(Number).filter((pid) => pid > 0 && isWorker(pid))
}

/** A child may also be the compiler, or may have exited. */
function isWorker(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').includes('MCP_WORKER=')
  } catch {
    return false
  }
}
