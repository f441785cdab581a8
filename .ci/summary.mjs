// Prints what vitest's JSON reports say as one line: "N passed, N failed" and, if any, "N skipped".
// Fails when a test failed, when a file could not be run, and when a report is missing or empty.

import { readFileSync } from 'node:fs'

const given = process.argv.slice(2)
const counts = (given.length > 0 ? given : ['artifacts/test-results.json']).map(countsOf)

function countsOf(file) {
  const report = readReport(file)
  const files = report?.testResults ?? []
  // A file that does not even load has no tests of its own, and must not go unnoticed.
  const broken = files.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  ).length
  const passed = report?.numPassedTests ?? 0
  const failed = (report?.numFailedTests ?? 0) + broken
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0)
  const isGood = report?.success === true && failed === 0 && passed > 0
  return { passed, failed, skipped, isGood }
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

const sum = (name) => counts.reduce((total, each) => total + each[name], 0)
const skipped = sum('skipped')

if (!counts.every(({ isGood }) => isGood)) process.exitCode = 1
console.log(
  `${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
)
