/** What the benchmark is asked to do. */

import { parseArgs } from 'node:util'

export interface BenchOptions {
  /** Only shows that everything works: the figures mean nothing. */
  readonly brief: boolean
  /** How many processes each program has, one after the other. */
  readonly processes: number
  /** For each process. */
  readonly rounds: number
  /** Of each round, for each row. */
  readonly seconds: number
  /** Before the first round of a process; what was not warm yet is not measured. */
  readonly warmUpSeconds: number
  /** How long the load for the memory measurement lasts. */
  readonly soakMinutes: number
  /** Of full load, for latencies. */
  readonly share: number
  /** How many there are, to see whether it matters. */
  readonly sessionCounts: readonly number[]
  readonly toolCounts: readonly number[]
  /** Which parts are measured, in their order. */
  readonly parts: readonly Part[]
}

export const PARTS = ['main', 'path', 'tools', 'sessions', 'latency', 'start', 'memory'] as const

export type Part = (typeof PARTS)[number]

/** @throws TypeError for what is not understood */
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
