/** Calls of both eras, one after the other from each client, for as long as a test wants. */

import { setTimeout as delay } from 'node:timers/promises'
import type { CallResult } from './callers.ts'
import { errorCode, structured } from './clients.ts'
import type { FULL_CLIENTS } from './full-clients.ts'

interface LoadReport {
  readonly calls: number
  /** What went wrong, one line each. */
  readonly failures: readonly string[]
  /** When each failed, in milliseconds of `performance.now`. */
  readonly failedAt: readonly number[]
  /** The processes that answered. */
  readonly pids: ReadonlySet<number>
  readonly slowestMs: number
}

export interface SteadyLoad {
  /** Lets running calls end, and closes the clients. */
  stop(): Promise<LoadReport>
}

const PAUSE_MS = 10
const CLIENTS_OF_EACH_KIND = 3

/** Starts three clients of each kind; each checks that it is given its own text back. */
export async function startSteadyLoad(
  url: string,
  kinds: typeof FULL_CLIENTS,
): Promise<SteadyLoad> {
  const report = {
    calls: 0,
    failures: [] as string[],
    failedAt: [] as number[],
    pids: new Set<number>(),
    slowestMs: 0,
  }
  let running = true

  const connectAll = Object.entries(kinds).flatMap(([kind, connect]) =>
    Array.from({ length: CLIENTS_OF_EACH_KIND }, async (_, number) => ({
      name: `${kind} ${number}`,
      client: await connect(url),
    })),
  )
  const clients = await Promise.all(connectAll)
  const work = clients.map(async ({ name, client }) => {
    for (let count = 0; running; count += 1) {
      const text = `${name} ${count}`
      // Some calls become streams.
      const delayMs = count % 10 === 9 ? 400 : 0
      const started = performance.now()
      const fault = await client.call('where', { text, delayMs }).then(
        (result) => faultOf(result, text, report.pids),
        (error: unknown) => String(error),
      )
      report.calls += 1
      report.slowestMs = Math.max(report.slowestMs, performance.now() - started)
      if (fault !== undefined) {
        report.failures.push(`${text}: ${fault}`)
        report.failedAt.push(performance.now())
      }
      await delay(PAUSE_MS)
    }
  })
  return {
    async stop() {
      running = false
      await Promise.all(work)
      await Promise.all(clients.map(({ client }) => client.close()))
      return report
    },
  }
}

function faultOf(result: CallResult, text: string, pids: Set<number>): string | undefined {
  const code = errorCode(result)
  if (code !== undefined) return code
  const answer = structured<{ text: string; pid: number }>(result)
  pids.add(answer.pid)
  return answer.text === text ? undefined : `got ${answer.text}`
}
