/**
 * Full load, one contestant at a time. Identical code differs by 15 % from process to process, so
 * each is measured in several processes, started in random order.
 */

import type { Contestant } from './contestants.ts'
import { type LoadResult, putLoad } from './load.ts'
import { type MeasuredProcess, type Program, startMeasured } from './measured-process.ts'
import { median, shuffled, spread, sum } from './statistics.ts'

export interface Score {
  readonly key: string
  readonly what: string
  /** The median over the processes of the medians over the rounds. */
  readonly perSecond: number
  readonly cpuMicros: number
  /** The spread between processes: the fastest minus the slowest, as a share of the median. */
  readonly spread: number
  /** The total of all rounds. */
  readonly failures: number
}

export interface Rounds {
  /** The number of processes of each program, run in sequence. */
  readonly processes: number
  /** The number of rounds per process. */
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
}

type ProcessOf = (program: Program) => MeasuredProcess

/** Starts all programs in random order, runs `work`, and stops them even if it fails. */
export async function withPrograms<T>(
  programs: readonly Program[],
  work: (processOf: ProcessOf) => Promise<T>,
): Promise<T> {
  const running = new Map<Program, MeasuredProcess>()
  try {
    for (const program of shuffled([...new Set(programs)])) {
      running.set(program, await startMeasured(program))
    }
    return await work((program) => {
      const found = running.get(program)
      if (found === undefined) throw new Error('Not started')
      return found
    })
  } finally {
    await Promise.all([...running.values()].map((each) => each.stop()))
  }
}

/**
 * Measures all contestants. Runs one process of each at a time: more would compete for memory and
 * caches. Each round measures all of them in random order, so that disturbances on the machine
 * affect all equally.
 */
export async function sit(
  contestants: readonly Contestant[],
  options: Rounds,
  report: (line: string) => void,
): Promise<Score[]> {
  const results = new Map(contestants.map((each) => [each, [] as LoadResult[][]]))
  const programs = contestants.map(({ program }) => program)
  for (let number = 1; number <= options.processes; number += 1) {
    await withPrograms(programs, async (processOf) => {
      const own = await takeTurns(contestants, processOf, options)
      for (const [each, rounds] of own) results.get(each)?.push(rounds)
    })
    report(`process ${number} of ${options.processes}`)
  }
  return [...results].map(([each, processes]) => score(each, processes))
}

async function takeTurns(
  contestants: readonly Contestant[],
  processOf: ProcessOf,
  { rounds, seconds, warmUpSeconds }: Rounds,
): Promise<Map<Contestant, LoadResult[]>> {
  const turn = ({ program, call }: Contestant, length: number) => {
    const { port, pid } = processOf(program)
    return putLoad(call(port), length, pid)
  }
  if (warmUpSeconds > 0) for (const each of contestants) await turn(each, warmUpSeconds)
  const results = new Map(contestants.map((each) => [each, [] as LoadResult[]]))
  for (let round = 1; round <= rounds; round += 1) {
    for (const each of shuffled(contestants)) results.get(each)?.push(await turn(each, seconds))
  }
  return results
}

/** One run for several groups; returns the scores by group. */
export async function sitTogether(
  groups: readonly (readonly Contestant[])[],
  options: Rounds,
  report: (line: string) => void,
): Promise<Score[][]> {
  const scores = await sit(groups.flat(), options, report)
  return groups.map((group) => scores.splice(0, group.length))
}

function score({ key, what }: Contestant, processes: readonly (readonly LoadResult[])[]): Score {
  const rates = processes.map((rounds) =>
    median(rounds.map(({ requests, seconds }) => requests / seconds)),
  )
  const cpu = processes.map((rounds) => median(rounds.map(({ cpuMicros }) => cpuMicros)))
  return {
    ...{ key, what },
    perSecond: median(rates),
    cpuMicros: median(cpu),
    spread: spread(rates),
    failures: sum(processes.flat().map(({ failures }) => failures)),
  }
}
