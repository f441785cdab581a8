/** How scenarios of the suite went, from what it wrote. */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

export interface Scenario {
  readonly scenario: string
  /** Whether conformance to the revision requires it. */
  readonly scored: boolean
}

/** How one scenario went. */
export interface Outcome extends Scenario {
  readonly passed: number
  readonly warnings: readonly string[]
  readonly failures: readonly string[]
}

/** Checks that a server may opt out of without failing: this one must not. */
const NOT_OPTIONAL = new Map([['server-sse-polling', ['server-sse-disconnect-resume']]])

const checksFile = z.array(
  z.object({ id: z.string(), status: z.string(), errorMessage: z.string().optional() }),
)

/** Of these scenarios; `leg` is what the suite calls what it ran, such as `server`. */
export async function readOutcomes(
  leg: string,
  scenarios: readonly Scenario[],
  folder: string,
): Promise<readonly Outcome[]> {
  const folders = await readdir(folder)
  const folderOf = ({ scenario }: Scenario) =>
    folders.find((name) => name.replace(/-\d{4}-\d\d-\d\dT.*$/, '') === `${leg}-${scenario}`)
  return Promise.all(
    scenarios.map(async (each) => {
      const own = folderOf(each)
      return outcomeOf(each, own === undefined ? [] : await readChecks(join(folder, own)))
    }),
  )
}

type Checks = z.infer<typeof checksFile>

function outcomeOf({ scenario, scored }: Scenario, checks: Checks): Outcome {
  const withStatus = (status: string) => checks.filter((check) => check.status === status)
  const say = (check: Checks[number]) => `${check.id}: ${check.errorMessage ?? 'no reason'}`
  const skipped = withStatus('SKIPPED').map((check) => `${check.id}: skipped`)
  const missing = (NOT_OPTIONAL.get(scenario) ?? [])
    .filter((id) => !withStatus('SUCCESS').some((check) => check.id === id))
    .map((id) => `${id}: not done`)
  const failures = [...withStatus('FAILURE').map(say), ...skipped, ...missing]
  return {
    scenario,
    scored,
    passed: withStatus('SUCCESS').length,
    warnings: withStatus('WARNING').map(say),
    failures: checks.length === 0 ? ['It left no result.'] : failures,
  }
}

async function readChecks(folder: string): Promise<Checks> {
  try {
    return checksFile.parse(JSON.parse(await readFile(join(folder, 'checks.json'), 'utf8')))
  } catch {
    return []
  }
}
