/** Runs the official conformance suite against a server, and reads what it wrote. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { suiteNode } from './suite-node.ts'

const SUITE = fileURLToPath(import.meta.resolve('@modelcontextprotocol/conformance/package.json'))

export type Revision = '2025-11-25' | '2026-07-28'

/** How one scenario went. */
export interface Outcome {
  readonly scenario: string
  /** Whether conformance to the revision requires it. */
  readonly scored: boolean
  readonly passed: number
  readonly warnings: readonly string[]
  readonly failures: readonly string[]
}

export interface SuiteRun {
  /** The address of `/mcp`. */
  readonly url: string
  readonly revision: Revision
  /** Where everything is written; what is there is removed first. */
  readonly folder: string
}

/** Checks that a server may opt out of without failing: this one must not. */
const NOT_OPTIONAL = new Map([['server-sse-polling', ['server-sse-disconnect-resume']]])

const checksFile = z.array(
  z.object({ id: z.string(), status: z.string(), errorMessage: z.string().optional() }),
)

/** Runs every server scenario the suite has for a revision, scored or not, none expected to fail. */
export async function runSuite({ url, revision, folder }: SuiteRun): Promise<readonly Outcome[]> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const cli = join(SUITE, '../dist/index.js')
  const args = [cli, 'server', '--url', url, '--requirements', revision, '--output-dir', folder]
  const suite = spawn(suiteNode(), args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const log = createWriteStream(join(folder, 'suite.log'))
  for (const stream of [suite.stdout, suite.stderr]) stream.pipe(log, { end: false })
  await once(suite, 'close')
  log.end()
  const folders = await readdir(folder)
  const scenarios = await serverScenarios(revision)
  return Promise.all(scenarios.map((each) => readOutcome(each, folder, folders)))
}

interface Scenario {
  readonly scenario: string
  readonly scored: boolean
}

/** What the suite runs, from its own list: a scenario that left no result must not go unnoticed. */
async function serverScenarios(revision: Revision): Promise<readonly Scenario[]> {
  const yaml = await readFile(join(SUITE, `../requirements/${revision}.yaml`), 'utf8')
  const [, required = ''] = /^server:\n((?: {2}- .*\n)+)/m.exec(yaml) ?? []
  const scored = [...required.matchAll(/^ {2}- (\S+)$/gm)]
  const others = [...yaml.matchAll(/^ {2}- scenario: (\S+)\n {4}leg: server$/gm)]
  return [
    ...scored.map(([, scenario = '']) => ({ scenario, scored: true })),
    ...others.map(([, scenario = '']) => ({ scenario, scored: false })),
  ]
}

async function readOutcome(
  { scenario, scored }: Scenario,
  folder: string,
  folders: readonly string[],
): Promise<Outcome> {
  const own = folders.find(
    (name) => name.replace(/-\d{4}-\d\d-\d\dT.*$/, '') === `server-${scenario}`,
  )
  const checks = own === undefined ? [] : await readChecks(join(folder, own, 'checks.json'))
  const withStatus = (status: string) => checks.filter((check) => check.status === status)
  const say = (check: (typeof checks)[number]) =>
    `${check.id}: ${check.errorMessage ?? 'no reason'}`
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

async function readChecks(file: string) {
  try {
    return checksFile.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return []
  }
}
