/** The last line of a check run: true to the report, and a failure when anything failed. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

const script = join(import.meta.dirname, '../../../../.ci/summary.mjs')
const folder = mkdtempSync(join(tmpdir(), 'summary-'))
afterAll(() => rmSync(folder, { recursive: true }))

function summary(...reports: readonly (object | undefined)[]) {
  const files = reports.map((report, index) => {
    const file = join(folder, `report-${index}.json`)
    rmSync(file, { force: true })
    if (report !== undefined) writeFileSync(file, JSON.stringify(report))
    return file
  })
  const { status, stdout } = spawnSync(process.execPath, [script, ...files], { encoding: 'utf8' })
  return [stdout, status] as const
}

const green = { success: true, numPassedTests: 7, numFailedTests: 0, testResults: [] }

describe('the summary', () => {
  it('counts what passed', () => {
    expect(summary(green)).toEqual(['7 passed, 0 failed\n', 0])
  })

  it('names skipped tests only when there are some', () => {
    const skipping = { ...green, numPendingTests: 2, numTodoTests: 1 }
    expect(summary(skipping)).toEqual(['7 passed, 0 failed, 3 skipped\n', 0])
  })

  it('names a failed test with the first lines of its message', () => {
    const failureMessages = [`expected 1 to be 2\n${'    at a line\n'.repeat(20)}`]
    const test = { status: 'failed', fullName: 'a sum is right', failureMessages }
    const testResults = [{ name: 'sum.test.ts', status: 'failed', assertionResults: [test] }]
    const red = { ...green, success: false, numFailedTests: 1, testResults }
    const [stdout, status] = summary(red)
    expect(stdout).toMatch(/^Failed: sum.test.ts\n {2}a sum is right\n {4}expected 1 to be 2\n/)
    expect(stdout).toMatch(/\n7 passed, 1 failed\n$/)
    expect(stdout.split('\n')).toHaveLength(16)
    expect(status).toBe(1)
  })

  it('counts and names a file that could not be run', () => {
    const testResults = [
      { name: 'a.test.ts', status: 'failed', message: 'no such file', assertionResults: [] },
    ]
    expect(summary({ ...green, success: false, testResults })).toEqual([
      'Failed: a.test.ts\n    no such file\n7 passed, 1 failed\n',
      1,
    ])
  })

  it('fails when nothing was run', () => {
    expect(summary(undefined)).toEqual(['0 passed, 0 failed\n', 1])
    expect(summary({ ...green, numPassedTests: 0 })).toEqual(['0 passed, 0 failed\n', 1])
  })

  it('adds up several reports', () => {
    const skipping = { ...green, numPassedTests: 2, numPendingTests: 1 }
    expect(summary(green, skipping, green)).toEqual(['16 passed, 0 failed, 1 skipped\n', 0])
  })

  it('fails when one of several reports is missing, failed or empty', () => {
    expect(summary(green, undefined)).toEqual(['7 passed, 0 failed\n', 1])
    expect(summary({ ...green, success: false }, green)).toEqual(['14 passed, 0 failed\n', 1])
    expect(summary({ ...green, numPassedTests: 0 }, green)).toEqual(['7 passed, 0 failed\n', 1])
  })
})
