/** Formats a run as a table, with the reasons of all failures. */

import type { Outcome } from './outcome.ts'

export interface Run {
  readonly topology: string
  /** The protocol revision, or another part of the suite. */
  readonly what: string
  readonly outcomes: readonly Outcome[]
}

/**
 * Scenarios of features that this server lacks: they run, but their outcome says nothing about it.
 */
const OUT_OF_SCOPE = /^tasks-/

const HEADINGS = ['', 'suite', 'required', 'others', 'checks', 'failed', 'warnings']

/** A table with one line per run. */
export function asTable(runs: readonly Run[]): string {
  const rows = [HEADINGS, ...runs.map(asRow)]
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => length(row[column]))))
  const align = (cell: string, column: number) =>
    column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  return rows.map((row) => row.map(align).join('  ').trimEnd()).join('\n')
}

function asRow({ topology, what, outcomes }: Run): string[] {
  const counted = inScope(outcomes)
  const failures = counted.flatMap((outcome) => outcome.failures).length
  const passed = counted.reduce((sum, outcome) => sum + outcome.passed, 0)
  const warnings = counted.flatMap((outcome) => outcome.warnings).length
  const scenarios = [true, false].map((scored) => share(counted.filter((o) => o.scored === scored)))
  return [topology, what, ...scenarios, ...[passed, failures, warnings].map(String)]
}

/** The number of passed scenarios, such as `30/30`. */
function share(outcomes: readonly Outcome[]): string {
  const passed = outcomes.filter(({ failures }) => failures.length === 0)
  return `${passed.length}/${outcomes.length}`
}

/** All failures, one per line. */
export function problemsOf({ topology, what, outcomes }: Run): readonly string[] {
  return inScope(outcomes).flatMap(({ scenario, failures, warnings }) => [
    ...failures.map((fault) => `${topology}, ${what}, ${scenario}: ${fault}`),
    ...warnings.map((fault) => `${topology}, ${what}, ${scenario} (warning): ${fault}`),
  ])
}

/** The number of out-of-scope scenarios. */
export function outOfScope(outcomes: readonly Outcome[]): number {
  return outcomes.length - inScope(outcomes).length
}

function inScope(outcomes: readonly Outcome[]): readonly Outcome[] {
  return outcomes.filter(({ scenario }) => !OUT_OF_SCOPE.test(scenario))
}

function length(cell: string | undefined): number {
  return cell?.length ?? 0
}
