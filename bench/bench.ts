/**
 * Measures what a call costs: this server, the least any server could take, and its peers, on one
 * machine in one sitting. Writes RESULTS.md; see README.md for the options.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machineFacts } from './machine.ts'
import { type BenchOptions, readOptions } from './options.ts'
import { measureParts } from './parts.ts'
import { createSettings } from './settings.ts'

const HERE = import.meta.dirname
const RESULTS = join(HERE, 'RESULTS.md')

/** The peers are nobody else's business, so that `npm ci` of the project leaves them out. */
function installPeers(): void {
  if (existsSync(join(HERE, 'node_modules'))) return
  const install = ['ci', '--prefix', HERE, '--ignore-scripts', '--no-audit', '--no-fund']
  if (spawnSync('npm', install, { stdio: 'inherit' }).status !== 0) {
    throw new Error('The peers could not be installed.')
  }
}

async function run(options: BenchOptions): Promise<void> {
  installPeers()
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const settings = createSettings(folder)
  try {
    const sections: string[] = []
    for await (const section of measureParts(options, settings)) {
      console.log(`\n${section}\n`)
      sections.push(section)
    }
    if (!options.brief) writeFileSync(RESULTS, document(options, sections))
  } finally {
    await settings.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function document({ rounds, seconds, parts }: BenchOptions, sections: readonly string[]): string {
  return [
    '# Results',
    `Written by \`npm run bench\`; see [README.md](README.md) for what it does.`,
    machineFacts().join('\n'),
    `Medians of ${rounds} rounds of ${seconds} s each. Measured: ${parts.join(', ')}.`,
    ...sections,
    '',
  ].join('\n\n')
}

// One for each server that is up.
process.setMaxListeners(0)

try {
  await run(readOptions(process.argv.slice(2)))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
