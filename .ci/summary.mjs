// Adds up vitest's JSON reports: names each failed test with its message, and prints one line,
// "N passed, N failed" and, if any, "N skipped".
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

const failedTests = (report) =>
  (report?.testResults ?? []).flatMap(({ name, message, assertionResults }) => [
    ...(message ? [`${name}\n    ${firstLines(message)}`] : []),
    ...assertionResults
      .filter(({ status }) => status === 'failed')
      .map(
        (test) => `${name}\n  ${test.fullName}\n    ${firstLines(test.failureMessages[0] ?? '')}`,
      ),
  ])

const firstLines = (text) => text.split('\n').slice(0, 12).join('\n    ')

/** A file that does not load has no tests, and must count as a failure. */
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
  for (const failure of failedTests(report)) console.log(`Failed: ${failure}`)
  total.passed += passed
  total.failed += (report?.numFailedTests ?? 0) + countBroken(report)
  total.skipped += (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0)
}

if (total.failed > 0 || total.passed === 0) process.exitCode = 1
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`)
