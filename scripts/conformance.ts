/**
 * Runs the official conformance suite: both revisions and the authorization server, on one node in
 * memory and on three nodes with one Redis behind a round-robin load balancer. No failures are
 * expected; warnings count as failures. Without redis-server in PATH, skips the second part, unless
 * REQUIRE_REDIS=1. With TEST_REDIS=cluster or TEST_REDIS=sentinel, runs only three nodes, on such a
 * Redis.
 */

import { join } from 'node:path'
import {
  PRE_REGISTERED,
  registerClient,
  runAuthorizationSuite,
} from './conformance/authorization.ts'
import type { Outcome } from './conformance/outcome.ts'
import { asTable, outOfScope, problemsOf, type Run } from './conformance/report.ts'
import { type Revision, runSuite } from './conformance/suite.ts'
import { oneNode, type Topology, threeNodes } from './conformance/topologies.ts'

const REVISIONS: readonly Revision[] = ['2025-11-25', '2026-07-28']

/** Logs of the nodes and the output of the suite. */
const ARTIFACTS = 'artifacts/conformance'

// Calling `exit` runs the handlers that stop the nodes.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

const runs: Run[] = []
const problems: string[] = []

async function runOn(topology: Topology): Promise<void> {
  const folder = join(import.meta.dirname, '..', ARTIFACTS, topology.name.replaceAll(/\W+/g, '-'))
  const running = await topology.start(folder)
  const add = (what: string, outcomes: readonly Outcome[]) => {
    const run = { topology: topology.name, what, outcomes }
    runs.push(run)
    problems.push(...problemsOf(run))
  }
  try {
    const { url } = running
    for (const revision of REVISIONS) {
      const options = { url: `${url}/mcp`, revision, folder: join(folder, revision) }
      add(revision, await runSuite(options))
    }
    const clients = {
      'pre-registered': PRE_REGISTERED.client_id,
      registered: await registerClient(url),
    }
    for (const [kind, clientId] of Object.entries(clients)) {
      const what = `authorization, ${kind} client`
      const options = { url, clientId, folder: join(folder, kind) }
      add(what, await runAuthorizationSuite(options))
    }
  } finally {
    const inside = await running.stop()
    problems.push(...inside.map((what) => `${topology.name}: ${what}`))
  }
}

const topologies = process.env.TEST_REDIS === undefined ? [oneNode, threeNodes] : [threeNodes]

for (const topology of topologies) {
  const missing = topology.missing()
  if (missing === undefined) {
    console.log(`Running the suite on ${topology.name}`)
    await runOn(topology)
  } else {
    console.log(`Skipped: ${topology.name}: ${missing}`)
    if (process.env.REQUIRE_REDIS === '1') problems.push(`${topology.name}: ${missing}`)
  }
}

console.log(`\n${asTable(runs)}\n`)
const skipped = runs.reduce((sum, { outcomes }) => sum + outOfScope(outcomes), 0)
if (skipped > 0) console.log(`Not counted: ${skipped} runs of scenarios for the tasks extension.`)
for (const problem of problems) console.log(`✗ ${problem}`)
console.log(problems.length === 0 ? 'Conforms.' : `${problems.length} problems; see ${ARTIFACTS}`)
process.exitCode = problems.length === 0 ? 0 : 1
