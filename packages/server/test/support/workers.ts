/** A server of several worker processes on a private Redis, as one command starts it. */

import { expect } from 'vitest'
import { freePort } from './free-port.ts'
import { type ServerProcess, startServerProcess } from './process.ts'
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
    ...{ WORKERS: '2', REDIS_URL: redis.url, STOP_DELAY: '0', TOOLS_DIR: CLUSTER_CATALOG },
    MASK_MCP_PORT: String(port),
  }
  const server = await startServerProcess({ env: { ...common, ...env } })
  await server.line('workers ready')
  const lines = (message: string) => linesOf(server, message)
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

/** All log lines on standard output with this message. */
export function linesOf({ output }: ServerProcess, message: string): readonly Line[] {
  return output.stdout
    .split('\n')
    .filter((text) => text.includes(`"msg":${JSON.stringify(message)}`))
    .map((text) => JSON.parse(text) as Line)
}
