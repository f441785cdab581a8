/** The report of `npm run conformance`. */

import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../../../scripts/conformance/outcome.ts'
import { asTable, outOfScope, problemsOf } from '../../../../scripts/conformance/report.ts'

const good: Outcome = { scenario: 'ping', scored: true, passed: 2, warnings: [], failures: [] }
const broken: Outcome = { ...good, scenario: 'tools-list', failures: ['tools-list: no tools'] }
const odd: Outcome = { ...good, scenario: 'extra', scored: false, warnings: ['extra: slow'] }
const tasks: Outcome = { ...broken, scenario: 'tasks-lifecycle', scored: false }
const run = {
  topology: 'one node',
  what: '2025-11-25',
  outcomes: [good, broken, odd, tasks],
}

describe('the report', () => {
  it('counts what is in scope', () => {
    const [, line = ''] = asTable([run]).split('\n')
    expect(line.split(/ {2,}/)).toEqual(['one node', '2025-11-25', '1/2', '1/1', '6', '1', '1'])
    expect(outOfScope(run.outcomes)).toBe(1)
  })

  it('names each failure and each warning, and nothing out of scope', () => {
    expect(problemsOf(run)).toEqual([
      'one node, 2025-11-25, tools-list: tools-list: no tools',
      'one node, 2025-11-25, extra (warning): extra: slow',
    ])
  })
})
