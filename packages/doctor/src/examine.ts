/** Runs all checks in sequence; a failed check does not stop the others. */

import { CHECKS } from './checks.ts'
import { type CheckReport, type Finding, wrong } from './findings.ts'
import { knock } from './knock.ts'
import { reasonOf } from './reasons.ts'
import type { Check, Visit } from './visit.ts'

/** Calls `onReport` with each report as it completes, and returns all reports. */
export async function examine(
  visit: Visit,
  onReport: (report: CheckReport) => void,
): Promise<readonly CheckReport[]> {
  const obstacle = await knock(visit.base)
  if (obstacle !== undefined) {
    const report = { check: 'reach', title: 'Reaching the server', findings: [obstacle] }
    onReport(report)
    return [report]
  }
  const reports: CheckReport[] = []
  for (const check of CHECKS) {
    const report = { check: check.id, title: check.title, findings: await run(check, visit) }
    onReport(report)
    reports.push(report)
  }
  return reports
}

async function run(check: Check, visit: Visit): Promise<readonly Finding[]> {
  try {
    return await check.run(visit)
  } catch (error) {
    const { what, mend } = reasonOf(error)
    return [wrong(`This check could not be completed: ${what}.`, mend)]
  }
}
