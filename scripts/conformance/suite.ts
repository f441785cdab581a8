/** Runs the suite's server scenarios. */

import { readFile } from 'node:fs/promises'
import { type Outcome, readOutcomes, type Scenario } from './outcome.ts'
import { emptyFolder, runSuiteCommand, suiteFile } from './suite-process.ts'

export type Revision = '2025-11-25' | '2026-07-28'

export interface SuiteRun {
  /** The URL of `/mcp`. */
  readonly url: string
  readonly revision: Revision
  /** The output folder; emptied first. */
  readonly folder: string
}

/** Runs all server scenarios of a revision, scored or not; no failures are expected. */
export async function runSuite({ url, revision, folder }: SuiteRun): Promise<readonly Outcome[]> {
  await emptyFolder(folder)
  const options = ['--url', url, '--requirements', revision, '--output-dir', folder]
  await runSuiteCommand(['server', ...options], folder)
  return readOutcomes('server', await serverScenarios(revision), folder)
}

/** The scenarios from the suite's own list, to detect those without a result. */
async function serverScenarios(revision: Revision): Promise<readonly Scenario[]> {
  const yaml = await readFile(suiteFile(`requirements/${revision}.yaml`), 'utf8')
  const [, required = ''] = /^server:\n((?: {2}- .*\n)+)/m.exec(yaml) ?? []
  const scored = [...required.matchAll(/^ {2}- (\S+)$/gm)]
  const others = [...yaml.matchAll(/^ {2}- scenario: (\S+)\n {4}leg: server$/gm)]
  return [
    ...scored.map(([, scenario = '']) => ({ scenario, scored: true })),
    ...others.map(([, scenario = '']) => ({ scenario, scored: false })),
  ]
}
