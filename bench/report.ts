/** Formats the tables for the terminal and for RESULTS.md. */

import type { Latency } from './latency.ts'
import type { MemoryFigures } from './memory.ts'
import type { PathFigures } from './path.ts'
import type { Score } from './sitting.ts'
import type { StartUp } from './start-up.ts'
import type { Growth, Outcome } from './targets.ts'

type Row = readonly (string | number)[]

/** Full load: requests per second, and their ratios to the two baselines. */
export function scoreTable(scores: readonly Score[]): string {
  const of = (key: string) => scores.find((score) => score.key === key)
  const [a, b] = [of('a'), of('b')]
  const ratio = (score: Score, floor: Score | undefined) =>
    floor === undefined ? '' : (score.perSecond / floor.perSecond).toFixed(2)
  const cpuRatio = (score: Score) =>
    b === undefined ? '' : (b.cpuMicros / score.cpuMicros).toFixed(2)
  return table(
    ['', 'what', 'requests/s', 'spread', 'of (a)', 'of (b)', 'CPU µs each', 'CPU: of (b)'],
    scores.map((score) => [
      shownKey(score.key),
      score.what,
      score.perSecond.toFixed(0),
      percent(score.spread),
      ratio(score, a),
      ratio(score, b),
      score.cpuMicros.toFixed(0),
      cpuRatio(score),
    ]),
  )
}

/** Requests per second by column; the title names what increases. */
export function growthTable(what: string, columns: readonly Growth[]): string {
  const [first] = columns
  const named = (count: number) => `${count.toLocaleString('en')} ${what}`
  return table(
    [
      '',
      'what',
      ...columns.map(({ count }) => named(count)),
      'spread',
      'last of first',
      'CPU: first of last',
    ],
    (first?.scores ?? []).map(({ key, what: about }, row) => {
      const scores = columns.map((column) => column.scores[row])
      const from = scores[0]
      const to = scores.at(-1)
      const share = (to?.perSecond ?? Number.NaN) / (from?.perSecond ?? Number.NaN)
      const cpu = (from?.cpuMicros ?? Number.NaN) / (to?.cpuMicros ?? Number.NaN)
      const cells = scores.map((score) => (score?.perSecond ?? Number.NaN).toFixed(0))
      const widest = percent(Math.max(...scores.map((score) => score?.spread ?? Number.NaN)))
      return [shownKey(key), about, ...cells, widest, share.toFixed(2), cpu.toFixed(2)]
    }),
  )
}

export function latencyTable(figures: readonly Latency[]): string {
  return table(
    ['', 'what', 'wanted a second', 'sent', 'p50 ms', 'p99 ms', 'p99 of p50'],
    figures.map(({ key, what, rate, sent, p50Ms, p99Ms, p99OfP50 }) => [
      ...[shownKey(key), what, rate.toFixed(0), sent.toFixed(0)],
      ...[p50Ms.toFixed(2), p99Ms.toFixed(2), p99OfP50.toFixed(1)],
    ]),
  )
}

export function startTable(figures: readonly StartUp[]): string {
  return table(
    ['', 'what', 'ms', 'spread'],
    figures.map(({ key, what, milliseconds, spread }) => [
      ...[shownKey(key), what, milliseconds.toFixed(0), percent(spread)],
    ]),
  )
}

export function pathTable(figures: readonly PathFigures[]): string {
  return table(
    ['', 'kB allocated per call', 'kB that survive collections', 'files entered'],
    figures.map(({ key, kilobytes, survivingKilobytes, files }) => [
      ...[shownKey(key), kilobytes.toFixed(1), survivingKilobytes.toFixed(2), files.length],
    ]),
  )
}

export function targetTable(outcomes: readonly Outcome[]): string {
  return table(
    ['', 'target', 'measured', 'met'],
    outcomes.map(({ what, wanted, found, isMet }) => [what, wanted, found, isMet ? 'yes' : 'no']),
  )
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}

export function memoryTable({ underLoad, ...figures }: MemoryFigures): string {
  const megabytes = (value: number | undefined) => (value ?? Number.NaN).toFixed(1)
  const minute = (share: number) => `after ${(figures.minutes * share).toFixed(1)} min of load`
  return table(
    ['', 'MB'],
    [
      ...figures.atRest.flatMap(({ what, started, idle }) => [
        [`just started: ${what}`, megabytes(started)],
        [`idle: ${what}`, megabytes(idle)],
      ]),
      ['more for each 1,000 idle streams', megabytes(figures.perThousandStreams)],
      ...underLoad.map((value, at) => [minute((at + 1) / underLoad.length), megabytes(value)]),
    ],
  )
}

/** The letter in parentheses; all peers are (h). */
function shownKey(key: string): string {
  if (key.endsWith('Script')) return ''
  return key.length === 1 ? `(${key})` : '(h)'
}

/** Right-aligns numbers and columns that look like numbers. */
function table(head: readonly string[], rows: readonly Row[]): string {
  const cells = [head, ...rows.map((row) => row.map(String))]
  const widths = head.map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0), 3),
  )
  const isNumber = head.map((_, column) =>
    rows.every((row) => /^[\d.,]*(?: %)?$/.test(String(row[column]))),
  )
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => pad(cell, widths[column] ?? 0, isNumber[column])).join(' | ')} |`
  const rule = widths.map((width, column) =>
    isNumber[column] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  )
  return [line(head), `| ${rule.join(' | ')} |`, ...cells.slice(1).map(line)].join('\n')
}

function pad(cell: string, width: number, right: boolean | undefined): string {
  return right ? cell.padStart(width) : cell.padEnd(width)
}
