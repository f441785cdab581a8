/** Sequential calls of each client in both eras, until the test stops them. */

import { setTimeout as delay } from 'node:timers/promises'
import type { CallResult } from './callers.ts'
import { errorCode, structured } from './clients.ts'
import type { FULL_CLIENTS, FullClient } from './full-clients.ts'

/** A failed call. Times are milliseconds of `performance.now`. */
export interface Failure {
  /** Its unique text. */
  readonly text: string
  readonly fault: string
  readonly startedAt: number
  readonly failedAt: number
}

interface LoadReport {
  readonly calls: number
  readonly failures: readonly Failure[]
  /** Clients whose sessions have lost their initial value. */
  readonly forgotten: readonly string[]
  /** The processes that responded. */
  readonly pids: ReadonlySet<number>
  readonly slowestMs: number
  /** Until it was stopped. */
  readonly callsPerSecond: number
}

export interface SteadyLoad {
  /** Waits until there were more calls: a busy machine makes few in a second. */
  untilMoreThan(calls: number): Promise<void>
  /** Waits until that many processes have responded. */
  untilServedBy(processes: number): Promise<void>
  /** Waits until no call has failed for this time. */
  untilQuiet(ms: number): Promise<void>
  /** Lets running calls end, and closes the clients. */
  stop(): Promise<LoadReport>
}

export interface SteadyLoadOptions {
  readonly clientsOfEachKind?: number
  /** How long a client waits between its calls. */
  readonly pauseMs?: number
}

/** Starts clients of each kind; each checks that it gets its own text back. */
export async function startSteadyLoad(
  url: string,
  kinds: typeof FULL_CLIENTS,
  { clientsOfEachKind = 3, pauseMs = 10 }: SteadyLoadOptions = {},
): Promise<SteadyLoad> {
  const report = {
    calls: 0,
    failures: [] as Failure[],
    pids: new Set<number>(),
    slowestMs: 0,
  }
  let running = true

  const connectAll = Object.entries(kinds).flatMap(([kind, connect]) =>
    Array.from({ length: clientsOfEachKind }, async (_, number) => {
      const name = `${kind} ${number}`
      const client = await connect(url)
      return { name, client, recall: await startMemory(client, name) }
    }),
  )
  const clients = await Promise.all(connectAll)
  const startedAll = performance.now()
  const work = clients.map(async ({ name, client }) => {
    for (let count = 0; running; count += 1) {
      const text = `${name} ${count}`
      // Some calls become streams.
      const delayMs = count % 10 === 9 ? 400 : 0
      const startedAt = performance.now()
      const fault = await client.call('where', { text, delayMs }).then(
        (result) => faultOf(result, text, report.pids),
        (error: unknown) => String(error),
      )
      report.calls += 1
      const failedAt = performance.now()
      report.slowestMs = Math.max(report.slowestMs, failedAt - startedAt)
      if (fault !== undefined) report.failures.push({ text, fault, startedAt, failedAt })
      await delay(pauseMs)
    }
  })
  return {
    async untilMoreThan(calls) {
      while (report.calls <= calls) await delay(50)
    },
    async untilServedBy(processes) {
      while (report.pids.size < processes) await delay(50)
    },
    async untilQuiet(ms) {
      const since = performance.now()
      const failedAt = () => report.failures.at(-1)?.failedAt ?? 0
      while (performance.now() - Math.max(since, failedAt()) < ms) await delay(50)
    },
    async stop() {
      running = false
      const callsPerSecond = (report.calls * 1000) / (performance.now() - startedAll)
      await Promise.all(work)
      const forgotten: string[] = []
      const leave = clients.map(async ({ name, client, recall }) => {
        if ((await recall()) !== name) forgotten.push(name)
        await client.close()
      })
      await Promise.all(leave)
      return { ...report, forgotten, callsPerSecond }
    },
  }
}

/** Stores a text in the client's session; the returned function reads it. */
async function startMemory({ call }: FullClient, text: string) {
  const answer = await call('remember', { text })
  const { session } = structured<{ session: string }>(answer)
  const handle = session === '' ? {} : { session }
  return async () => structured<{ before: string }>(await call('remember', handle)).before
}

function faultOf(result: CallResult, text: string, pids: Set<number>): string | undefined {
  const code = errorCode(result)
  if (code !== undefined) return code
  const answer = structured<{ text: string; pid: number }>(result)
  pids.add(answer.pid)
  return answer.text === text ? undefined : `got ${answer.text}`
}
