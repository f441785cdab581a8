/** The targets, and whether the figures meet them. The targets apply to Node 20. */

import type { Latency } from './latency.ts'
import type { MemoryFigures } from './memory.ts'
import type { PathFigures } from './path.ts'
import type { Score } from './sitting.ts'
import type { StartUp } from './start-up.ts'

export interface Outcome {
  readonly what: string
  readonly wanted: string
  readonly found: string
  readonly isMet: boolean
}

/** The columns of a growth table: the scores with the lowest and the highest count. */
export interface Growth {
  readonly count: number
  readonly scores: readonly Score[]
}

function atLeast(what: string, bound: number, value: number): Outcome {
  return { what, wanted: `≥ ${bound}`, found: value.toFixed(2), isMet: value >= bound }
}

function atMost(what: string, bound: number, value: number, digits: number): Outcome {
  return { what, wanted: `≤ ${bound}`, found: value.toFixed(digits), isMet: value <= bound }
}

export function mainTargets(scores: readonly Score[]): Outcome[] {
  const rate = rateIn(scores)
  const ofFloor = ['d', 'e', 'f', 'g'].map((key) =>
    atLeast(`(${key}) of (b)`, 0.75, rate(key) / rate('b')),
  )
  return [
    atLeast('(c) of (a)', 0.55, rate('c') / rate('a')),
    ...ofFloor,
    atLeast('(f) of (d)', 0.9, rate('f') / rate('d')),
  ]
}

/** The share of the speed at the lowest count that remains at the highest. */
export function growthTargets(
  what: string,
  keys: readonly string[],
  bound: number,
  columns: readonly Growth[],
): Outcome[] {
  const [first, last] = [columns[0], columns.at(-1)]
  if (first === undefined || last === undefined || first === last) return []
  const [from, to] = [rateIn(first.scores), rateIn(last.scores)]
  const named = ({ count }: Growth) => count.toLocaleString('en')
  return keys.map((key) =>
    atLeast(`(${key}) with ${named(last)} ${what} of ${named(first)}`, bound, to(key) / from(key)),
  )
}

export function pathTargets(figures: readonly PathFigures[]): Outcome[] {
  return figures.flatMap(({ key, kilobytes, files }) => [
    atMost(`(${key}) kB allocated per call`, 30, kilobytes, 1),
    atMost(`(${key}) files entered`, 25, files.length, 0),
  ])
}

export function latencyTargets(figures: readonly Latency[]): Outcome[] {
  return figures
    .filter(({ key }) => key !== 'a' && key !== 'b')
    .map(({ key, p99OfP50 }) => atMost(`(${key}) p99 of p50`, 5, p99OfP50, 1))
}

/** This server's rows are those named after the language of a project. */
export function startTargets(figures: readonly StartUp[]): Outcome[] {
  return figures
    .filter(({ key }) => key.endsWith('Script'))
    .map(({ key, milliseconds }) =>
      atMost(`start to ready, s (${key})`, 0.6, milliseconds / 1000, 2),
    )
}

export function memoryTargets({ atRest }: MemoryFigures): Outcome[] {
  return atRest.map(({ key, idle }) => atMost(`idle memory, MB (${key})`, 90, idle, 1))
}

function rateIn(scores: readonly Score[]): (key: string) => number {
  return (key) => scores.find((score) => score.key === key)?.perSecond ?? Number.NaN
}
