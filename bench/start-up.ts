/** How long it takes from the start of a process to its first answer. */

import type { Contestant } from './contestants.ts'
import { type Program, startMeasured } from './measured-process.ts'
import { median } from './sitting.ts'

export interface StartUp {
  readonly key: string
  readonly what: string
  readonly milliseconds: number
}

/** Medians over the rounds, in which everybody has a turn. */
export async function measureStartUp(
  contestants: readonly Contestant[],
  rounds: number,
): Promise<StartUp[]> {
  const times = contestants.map(() => [] as number[])
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, { program }] of contestants.entries()) {
      times[index]?.push(await startOnce(program))
    }
  }
  return contestants.map(({ key, what }, index) => ({
    ...{ key, what },
    milliseconds: median(times[index] ?? []),
  }))
}

async function startOnce(program: Program): Promise<number> {
  const started = await startMeasured(program)
  await started.stop()
  return started.startMs
}
