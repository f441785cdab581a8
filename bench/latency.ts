/** Measures latencies under a steady load below saturation. */

import type { Contestant } from './contestants.ts'
import { putLoad } from './load.ts'
import { withPrograms } from './sitting.ts'
import { median, shuffled, sum } from './statistics.ts'

/** Medians over the processes. */
export interface Latency {
  readonly key: string
  readonly what: string
  /** The target rate in requests per second, as a share of the maximum. */
  readonly rate: number
  /** The actual rate: lower if the server or the machine did not keep up. */
  readonly sent: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** The median of the ratios in each process. */
  readonly p99OfP50: number
  readonly failures: number
}

export interface LatencyOptions {
  readonly processes: number
  readonly warmUpSeconds: number
  readonly seconds: number
  /** The share of the rate that the same process just reached under full load. */
  readonly share: number
}

type Figure = Omit<Latency, 'key' | 'what' | 'p99OfP50'>

export async function measureLatency(
  contestants: readonly Contestant[],
  options: LatencyOptions,
  report: (line: string) => void,
): Promise<Latency[]> {
  const figures = new Map(contestants.map((each) => [each, [] as Figure[]]))
  const programs = contestants.map(({ program }) => program)
  for (let number = 1; number <= options.processes; number += 1) {
    await withPrograms(programs, async (processOf) => {
      for (const each of shuffled(contestants)) {
        const { port, pid } = processOf(each.program)
        figures.get(each)?.push(await measureOnce(each.call(port), pid, options))
      }
    })
    report(`process ${number} of ${options.processes}`)
  }
  return [...figures].map(([{ key, what }, all]) => ({ key, what, ...mediansOf(all) }))
}

async function measureOnce(
  call: ReturnType<Contestant['call']>,
  pid: number,
  { warmUpSeconds, seconds, share }: LatencyOptions,
): Promise<Figure> {
  if (warmUpSeconds > 0) await putLoad(call, warmUpSeconds, pid)
  const full = await putLoad(call, Math.ceil(seconds / 2), pid)
  const rate = (full.requests / full.seconds) * share
  const { p50Ms, p99Ms, ...paced } = await putLoad(call, seconds, pid, rate)
  const sent = paced.requests / paced.seconds
  return { rate, sent, p50Ms, p99Ms, failures: full.failures + paced.failures }
}

function mediansOf(figures: readonly Figure[]) {
  const of = (pick: (figure: Figure) => number) => median(figures.map(pick))
  return {
    rate: of(({ rate }) => rate),
    sent: of(({ sent }) => sent),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    p99OfP50: of(({ p50Ms, p99Ms }) => p99Ms / p50Ms),
    failures: sum(figures.map(({ failures }) => failures)),
  }
}
