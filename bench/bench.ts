/**
 * Measures the cost of a call: for this server, for minimal baselines, and for its peers, on one
 * machine in one run. Writes RESULTS.md; see README.md for the options.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Languages, prepareLanguages } from './languages.ts'
import { machineFacts } from './machine.ts'
import { type BenchOptions, readOptions } from './options.ts'
import { measureParts, type PartResult } from './parts.ts'
import { targetTable } from './report.ts'
import { createSettings } from './settings.ts'

const HERE = import.meta.dirname
const RESULTS = join(HERE, 'RESULTS.md')

/** Installs the peers separately, so that `npm ci` of the project does not. */
function installPeers(): void {
  if (existsSync(join(HERE, 'node_modules'))) return
  const install = ['ci', '--prefix', HERE, '--ignore-scripts', '--no-audit', '--no-fund']
  if (spawnSync('npm', install, { stdio: 'inherit' }).status !== 0) {
    throw new Error('The peers could not be installed.')
  }
}

async function run(options: BenchOptions): Promise<void> {
  installPeers()
  const languages = prepareLanguages(options.brief)
  for (const reason of languages.missing) console.error(reason)
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const settings = createSettings(folder)
  try {
    const results: PartResult[] = []
    for await (const result of measureParts(options, settings, languages.found)) {
      console.log(`\n${result.section}\n`)
      results.push(result)
    }
    if (!options.brief) writeFileSync(RESULTS, document(options, languages, results))
  } finally {
    await settings.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function document(
  { processes, rounds, seconds, parts }: BenchOptions,
  { missing }: Languages,
  results: readonly PartResult[],
): string {
  const outcomes = results.flatMap((result) => result.outcomes)
  return [
    '# Results',
    `Written by \`npm run bench\`; see [README.md](README.md) for what it does.`,
    [...machineFacts(), ...missing.map((reason) => `- ${reason}`)].join('\n'),
    `Medians over ${processes} processes of the medians of ${rounds} rounds of ${seconds} s. The spread is
that of the processes: the fastest less the slowest, as a share of the median. Measured: ${parts.join(', ')}.`,
    `## Targets, which hold for Node 20\n\n${targetTable(outcomes)}`,
    ...results.map(({ section }) => section),
    '',
  ].join('\n\n')
}

// Each running server adds an exit listener.
process.setMaxListeners(0)

try {
  await run(readOptions(process.argv.slice(2)))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
