/**
 * Keeps the results of the last run of each part in results.json, and writes RESULTS.md from them:
 * the whole benchmark takes 40 minutes, a part a few.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Languages } from './languages.ts'
import { machineFacts } from './machine.ts'
import { type BenchOptions, PARTS, type Part } from './options.ts'
import type { PartResult } from './parts.ts'
import { targetTable } from './report.ts'

interface KeptResult extends Omit<PartResult, 'part'> {
  /** When and where the part was measured, as lines of a list. */
  readonly measured: readonly string[]
}

type KeptResults = Partial<Record<Part, KeptResult>>

const KEPT = join(import.meta.dirname, 'results.json')
const REPORT = join(import.meta.dirname, 'RESULTS.md')

export function keepResults(
  { part, section, outcomes }: PartResult,
  { processes, rounds, seconds }: BenchOptions,
  { missing }: Languages,
): void {
  const measured = [
    ...machineFacts(),
    `- ${processes} processes, ${rounds} rounds of ${seconds} s`,
    ...missing.map((reason) => `- ${reason}`),
  ]
  const kept = { ...readKept(), [part]: { measured, section, outcomes } }
  writeFileSync(KEPT, `${JSON.stringify(kept, null, 2)}\n`)
  writeFileSync(REPORT, report(kept))
}

function readKept(): KeptResults {
  return existsSync(KEPT) ? JSON.parse(readFileSync(KEPT, 'utf8')) : {}
}

function report(kept: KeptResults): string {
  const results = PARTS.flatMap((part) => kept[part] ?? [])
  const outcomes = results.flatMap((result) => result.outcomes)
  return [
    '# Results',
    'Written by `npm run bench`; see [README.md](README.md) for what it does.',
    `Figures are medians over the processes of the medians of their rounds. The spread is that of the
processes: the fastest less the slowest, as a share of the median.`,
    `## Targets, which hold for Node 20\n\n${targetTable(outcomes)}`,
    ...results.map(({ measured, section }) => `${section}\n\n${measured.join('\n')}`),
    '',
  ].join('\n\n')
}
