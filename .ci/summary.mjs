// Prints what vitest's JSON report says as one line: "N passed, N failed" and, if any, "N skipped".
// Fails when a test failed, when a file could not be run, and when there is no report.

import { readFileSync } from 'node:fs'

const [file = 'artifacts/test-results.json'] = process.argv.slice(2)

function readReport() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

const report = readReport()
const files = report?.testResults ?? []
// A file that does not even load has no tests of its own, and must not go unnoticed.
const broken = files.filter(
  ({ status, assertionResults }) =>
    status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
).length
const passed = report?.numPassedTests ?? 0
const failed = (report?.numFailedTests ?? 0) + broken
const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0)

if (report?.success !== true || failed > 0 || passed === 0) process.exitCode = 1
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
