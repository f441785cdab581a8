/** One sitting: all contestants up at the same time, taking turns under full load. */

import type { Contestant } from './contestants.ts'
import { type LoadResult, putLoad } from './load.ts'
import { type MeasuredProcess, type Program, startMeasured } from './measured-process.ts'

export interface Score {
  readonly key: string
  readonly what: string
  /** Medians over the rounds. */
  readonly perSecond: number
  readonly cpuMicros: number
  /** Of all rounds together. */
  readonly requests: number
  readonly failures: number
}

export interface Rounds {
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
}

/** Starts all programs, runs `work`, and stops them, whatever becomes of it. */
export async function withPrograms<T>(
  programs: readonly Program[],
  work: (processOf: (program: Program) => MeasuredProcess) => Promise<T>,
): Promise<T> {
  const running = new Map<Program, MeasuredProcess>()
  try {
    for (const program of new Set(programs)) running.set(program, await startMeasured(program))
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
 * Measures all of them. In each round everybody has a turn, so that what happens on the machine
 * meanwhile happens to all.
 */
export async function sit(
  contestants: readonly Contestant[],
  { rounds, seconds, warmUpSeconds }: Rounds,
  tell: (line: string) => void,
): Promise<Score[]> {
  return withPrograms(
    contestants.map(({ program }) => program),
    async (processOf) => {
      const turn = ({ program, call }: Contestant, length: number) => {
        const { port, pid } = processOf(program)
        return putLoad(call(port), length, pid)
      }
      const results = new Map(contestants.map((each) => [each, [] as LoadResult[]]))
      if (warmUpSeconds > 0) for (const each of contestants) await turn(each, warmUpSeconds)
      for (let round = 1; round <= rounds; round += 1) {
        for (const each of contestants) results.get(each)?.push(await turn(each, seconds))
        tell(`round ${round} of ${rounds}`)
      }
      return [...results].map(([each, all]) => score(each, all))
    },
  )
}

/** One sitting for several groups; gives the scores group by group. */
export async function sitTogether(
  groups: readonly (readonly Contestant[])[],
  options: Rounds,
  tell: (line: string) => void,
): Promise<Score[][]> {
  const scores = await sit(groups.flat(), options, tell)
  return groups.map((group) => scores.splice(0, group.length))
}

function score({ key, what }: Contestant, results: readonly LoadResult[]): Score {
  return {
    ...{ key, what },
    perSecond: median(results.map(({ requests, seconds }) => requests / seconds)),
    cpuMicros: median(results.map(({ cpuMicros }) => cpuMicros)),
    requests: sum(results.map(({ requests }) => requests)),
    failures: sum(results.map(({ failures }) => failures)),
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
