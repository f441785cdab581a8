/**
 * Checks a deployed server from outside, as clients see it, and reports faults with their fixes.
 * Leaves only registrations behind, which expire. Requires the server's URL.
 */

import { parseArguments, parseTokenArguments, USAGE, UsageError } from './arguments.ts'
import { examine } from './examine.ts'
import { explainToken, readToken } from './explain-token.ts'
import { asJson, countVerdicts, createTextReport, legible } from './report.ts'
import { firstFacts } from './visit.ts'

async function main(args: readonly string[]): Promise<number> {
  const about = parseTokenArguments(args)
  if (about !== undefined) {
    const token = await readToken(about.token, process.stdin)
    const findings = await explainToken(token, about.base)
    createTextReport(process.stdout).check({ check: 'token', title: 'The access token', findings })
    return findings.some(({ verdict }) => verdict === 'wrong') ? 1 : 0
  }
  const { json, ...options } = parseArguments(args)
  const text = createTextReport(process.stdout)
  const visit = {
    ...options,
    say: (what: string) => console.error(what.split('\n').map(legible).join('\n')),
    facts: firstFacts(process.env.DOCTOR_TOKEN),
  }
  const reports = await examine(visit, json ? () => undefined : text.check)
  if (json) console.log(asJson(options.base, reports))
  else text.summary(reports)
  return countVerdicts(reports).wrong === 0 ? 0 : 1
}

try {
  process.exitCode = await main(process.argv.slice(2))
  // An open handle of a failed check must not keep the process alive.
  process.stdout.write('', () => process.exit())
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`${error.message}\n\n${USAGE}`)
  process.exitCode = 2
}
