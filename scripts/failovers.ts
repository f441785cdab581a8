/**
 * Measures what failovers cost: runs the tests that cause them, and prints a table. `--timeout` is
 * `5` (seconds) or `default` (15 for a cluster, 30 for Sentinels); without it, first one, then the other.
 * `--topology` is `cluster` or `sentinel`, `--event` a regular expression for the names of the tests.
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Figures } from '../packages/server/test/support/failover-watch.ts'

const TIMEOUTS = {
  '5': { cluster: 5000, sentinel: 5000 },
  default: { cluster: 15_000, sentinel: 30_000 },
} as const

const {
  timeout,
  topology: only,
  event,
} = parseArgs({
  options: { timeout: { type: 'string' }, topology: { type: 'string' }, event: { type: 'string' } },
}).values
const chosen = Object.entries(TIMEOUTS).filter(
  ([name]) => timeout === undefined || name === timeout,
)
if (chosen.length === 0) throw new Error('--timeout must be 5 or default')
const topologies = (['cluster', 'sentinel'] as const).filter((each) => each === (only ?? each))
if (topologies.length === 0) throw new Error('--topology must be cluster or sentinel')

console.log(
  '| Topology | Time-out, s | Event | Seconds without service | Calls failed | Writes lost |',
)
console.log('| --- | --: | --- | --: | --: | --: |')
for (const [, timeouts] of chosen) {
  for (const topology of topologies) measure(topology, timeouts[topology])
}

function measure(topology: Figures['topology'], timeoutMs: number): void {
  const folder = mkdtempSync(join(tmpdir(), 'failovers-'))
  const file = join(folder, 'figures')
  const test = `packages/server/test/cluster/redis-${topology}-failover.test.ts`
  const env = { ...process.env, FAILOVER_TIMEOUT: String(timeoutMs), FAILOVER_FIGURES: file }
  const args = ['vitest', 'run', test, ...(event === undefined ? [] : ['-t', event])]
  writeFileSync(file, '')
  const { status, stdout, stderr } = spawnSync('npx', args, { env, encoding: 'utf8' })
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  rmSync(folder, { recursive: true })
  for (const line of lines) {
    const { event, seconds, calls, failed, lost } = JSON.parse(line) as Figures
    const cells = [topology, timeoutMs / 1000, event, seconds, `${failed} of ${calls}`, lost]
    console.log(`| ${cells.join(' | ')} |`)
  }
  if (status === 0) return
  console.error(stdout, stderr)
  process.exitCode = 1
}
