/**
 * Looks at a deployed server from outside, as clients see it, and says what is wrong and how to mend
 * it. Leaves nothing behind but registrations, which expire. Needs the server's address.
 */

import { parseArguments, USAGE, UsageError } from './doctor/arguments.ts'
import { examine } from './doctor/examine.ts'
import { asJson, countVerdicts, createTextReport } from './doctor/report.ts'

async function main(args: readonly string[]): Promise<number> {
  const { base, json, ...options } = parseArguments(args)
  const { DOCTOR_TOKEN: token } = process.env
  const text = createTextReport(process.stdout)
  const visit = {
    base,
    ...options,
    say: (what: string) => console.error(what),
    facts: {
      noBuiltIn: 'It needs metadata of the authorization server.',
      ...(token !== undefined && token !== '' && { accessToken: token }),
    },
  }
  const reports = await examine(visit, json ? () => undefined : text.check)
  if (json) console.log(asJson(base, reports))
  else text.summary(reports)
  return countVerdicts(reports).wrong === 0 ? 0 : 1
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`${error.message}\n\n${USAGE}`)
  process.exitCode = 2
}
