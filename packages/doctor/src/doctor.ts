/**
 * Looks at a deployed server from outside, as clients see it, and says what is wrong and how to mend
 * it. Leaves nothing behind but registrations, which expire. Needs the server's address.
 */

import { parseArguments, USAGE, UsageError } from './arguments.ts'
import { examine } from './examine.ts'
import { asJson, countVerdicts, createTextReport, legible } from './report.ts'
import { firstFacts } from './visit.ts'

async function main(args: readonly string[]): Promise<number> {
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
  // What a failed check left waiting must not hold the shell.
  process.stdout.write('', () => process.exit())
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`${error.message}\n\n${USAGE}`)
  process.exitCode = 2
}
