/** The options of the benchmark. */

import { parseArgs } from 'node:util'

export interface BenchOptions {
  /** A smoke test: the figures are meaningless. */
  readonly brief: boolean
  /** The number of processes of each program, run in sequence. */
  readonly processes: number
  /** The number of rounds per process. */
  readonly rounds: number
  /** The duration of each round per row. */
  readonly seconds: number
  /** The warm-up before the first round of a process, which is not measured. */
  readonly warmUpSeconds: number
  /** The duration of the load for the memory measurement. */
  readonly soakMinutes: number
  /** The share of full load at which latencies are measured. */
  readonly share: number
  /** The numbers of sessions to compare. */
  readonly sessionCounts: readonly number[]
  readonly toolCounts: readonly number[]
  /** The parts to measure, in order. */
  readonly parts: readonly Part[]
}

export const PARTS = ['main', 'path', 'tools', 'sessions', 'latency', 'start', 'memory'] as const

export type Part = (typeof PARTS)[number]

/** @throws TypeError for invalid options */
export function readOptions(argv: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      brief: { type: 'boolean', default: false },
      processes: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      soak: { type: 'string' },
    },
  })
  const unknown = positionals.find((part) => !(PARTS as readonly string[]).includes(part))
  if (unknown !== undefined) {
    throw new TypeError(`There is no part "${unknown}", only ${PARTS.join(', ')}.`)
  }
  const brief = values.brief
  return {
    brief,
    processes: positive('processes', values.processes, brief ? 1 : 3),
    rounds: positive('rounds', values.rounds, brief ? 1 : 3),
    seconds: positive('seconds', values.seconds, brief ? 1 : 2),
    warmUpSeconds: brief ? 0 : 2,
    share: brief ? 0.2 : 0.8,
    soakMinutes: positive('soak', values.soak, brief ? 0.05 : 10),
    sessionCounts: brief ? [1] : [1000, 100_000],
    toolCounts: brief ? [300] : [1, 300],
    parts: PARTS.filter((part) => positionals.length === 0 || positionals.includes(part)),
  }
}

function positive(name: string, given: string | undefined, fallback: number): number {
  const value = given === undefined ? fallback : Number(given)
  if (value > 0) return value
  throw new TypeError(`--${name} must be more than 0.`)
}
