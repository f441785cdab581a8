/** Measures the time from the start of a process to its first response. */

import type { Contestant } from './contestants.ts'
import { type Program, startMeasured } from './measured-process.ts'
import { median, shuffled, spread } from './statistics.ts'

export interface StartUp {
  readonly key: string
  readonly what: string
  /** The median of all starts. */
  readonly milliseconds: number
  readonly spread: number
}

/** Starts each repeatedly, one process at a time, in random order. */
export async function measureStartUp(
  contestants: readonly Contestant[],
  times: number,
): Promise<StartUp[]> {
  const figures = new Map(contestants.map((each) => [each, [] as number[]]))
  for (let time = 0; time < times; time += 1) {
    for (const each of shuffled(contestants)) {
      figures.get(each)?.push(await startOnce(each.program))
    }
  }
  return [...figures].map(([{ key, what }, all]) => ({
    ...{ key, what },
    milliseconds: median(all),
    spread: spread(all),
  }))
}

async function startOnce(program: Program): Promise<number> {
  const started = await startMeasured(program)
  await started.stop()
  return started.startMs
}
