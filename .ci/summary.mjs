// Adds up vitest's JSON reports and prints one line: "N passed, N failed" and, if any, "N skipped".
// Fails when a test failed, when a file could not be run, and when a report is missing.

import { readFileSync } from 'node:fs'

const files = process.argv.slice(2)

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** A file that does not even load has no tests of its own, and must not go unnoticed. */
function countBroken(report) {
  return (report?.testResults ?? []).filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  ).length
}

const total = { passed: 0, failed: 0, skipped: 0 }
for (const file of files) {
  const report = readReport(file)
  const passed = report?.numPassedTests ?? 0
  if (report?.success !== true || passed === 0) process.exitCode = 1
  total.passed += passed
  total.failed += (report?.numFailedTests ?? 0) + countBroken(report)
  total.skipped += (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0)
}

if (total.failed > 0 || total.passed === 0) process.exitCode = 1
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`)
