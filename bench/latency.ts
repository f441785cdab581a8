/** How long a request takes while the server has something to do, but not too much. */

import type { Contestant } from './contestants.ts'
import { putLoad } from './load.ts'
import { withPrograms } from './sitting.ts'

export interface Latency {
  readonly key: string
  readonly what: string
  /** Requests a second: so much of what the server can do. */
  readonly rate: number
  /** Requests a second that were sent: fewer where the server, or the machine, did not keep up. */
  readonly sent: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly failures: number
}

export interface LatencyOptions {
  readonly seconds: number
  /** Of what the same server answered under full load, a moment before. */
  readonly share: number
}

export async function measureLatency(
  contestants: readonly Contestant[],
  { seconds, share }: LatencyOptions,
  tell: (line: string) => void,
): Promise<Latency[]> {
  return withPrograms(
    contestants.map(({ program }) => program),
    async (processOf) => {
      const figures: Latency[] = []
      for (const { key, what, program, call } of contestants) {
        const { port, pid } = processOf(program)
        const full = await putLoad(call(port), seconds, pid)
        const rate = (full.requests / full.seconds) * share
        const paced = await putLoad(call(port), seconds, pid, rate)
        const { p50Ms, p99Ms } = paced
        const sent = paced.requests / paced.seconds
        const failures = full.failures + paced.failures
        figures.push({ key, what, rate, sent, p50Ms, p99Ms, failures })
        tell(`(${key})`)
      }
      return figures
    },
  )
}
