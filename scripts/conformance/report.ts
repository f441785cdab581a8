/** What people read of a run: a table, and the reason of everything that is not as it should be. */

import type { Outcome } from './outcome.ts'

export interface Run {
  readonly topology: string
  /** A revision of the protocol, or another part of the suite. */
  readonly what: string
  readonly outcomes: readonly Outcome[]
}

/** Scenarios of what this server does not have: they are run, and say nothing about it. */
const OUT_OF_SCOPE = /^tasks-/

const HEADINGS = ['', 'suite', 'required', 'others', 'checks', 'failed', 'warnings']

/** One line for each run. */
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

/** How many of them passed, such as `30/30`. */
function share(outcomes: readonly Outcome[]): string {
  const passed = outcomes.filter(({ failures }) => failures.length === 0)
  return `${passed.length}/${outcomes.length}`
}

/** Everything that is not as it should be, a line each. */
export function problemsOf({ topology, what, outcomes }: Run): readonly string[] {
  return inScope(outcomes).flatMap(({ scenario, failures, warnings }) => [
    ...failures.map((fault) => `${topology}, ${what}, ${scenario}: ${fault}`),
    ...warnings.map((fault) => `${topology}, ${what}, ${scenario} (warning): ${fault}`),
  ])
}

/** How many scenarios say nothing about this server. */
export function outOfScope(outcomes: readonly Outcome[]): number {
  return outcomes.length - inScope(outcomes).length
}

function inScope(outcomes: readonly Outcome[]): readonly Outcome[] {
  return outcomes.filter(({ scenario }) => !OUT_OF_SCOPE.test(scenario))
}

function length(cell: string | undefined): number {
  return cell?.length ?? 0
}
