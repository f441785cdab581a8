/**
 * Measures the cost of a call: for this server, for minimal baselines, and for its peers, on one
 * machine in one run. Writes RESULTS.md; see README.md for the options.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepareLanguages } from './languages.ts'
import { type BenchOptions, readOptions } from './options.ts'
import { measureParts } from './parts.ts'
import { keepResults } from './results.ts'
import { createSettings } from './settings.ts'

const HERE = import.meta.dirname

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
    for await (const result of measureParts(options, settings, languages.found)) {
      console.log(`\n${result.section}\n`)
      if (!options.brief) keepResults(result, options, languages)
    }
  } finally {
    await settings.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

// Each running server adds an exit listener.
process.setMaxListeners(0)

try {
  await run(readOptions(process.argv.slice(2)))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
