/** Reads the outcomes of the suite's scenarios from its output files. */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

export interface Scenario {
  readonly scenario: string
  /** Whether conformance to the revision requires the scenario. */
  readonly scored: boolean
}

/** The outcome of one scenario. */
export interface Outcome extends Scenario {
  readonly passed: number
  readonly warnings: readonly string[]
  readonly failures: readonly string[]
}

/** Checks that the suite treats as optional, but that this server must pass. */
const NOT_OPTIONAL = new Map([['server-sse-polling', ['server-sse-disconnect-resume']]])

const checksFile = z.array(
  z.object({ id: z.string(), status: z.string(), errorMessage: z.string().optional() }),
)

/**
 * Reads the outcomes of these scenarios; `leg` is the suite's name of the run, such as `server`.
 */
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
