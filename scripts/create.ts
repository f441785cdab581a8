/**
 * `npm run create -- DIRECTORY`: creates a project from this checkout with locally packed packages,
 * so that it works before they are published.
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packPackages } from './pack.ts'

const args = process.argv.slice(2)
const hasHelp = args.includes('--help') || args.includes('-h')

// Packing is slow: validates the arguments first.
if (create(join(import.meta.dirname, '../packages/create/index.js'), '--dry-run') && !hasHelp) {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-template-pack-'))
  try {
    const { server, createCommand } = packPackages(folder)
    create(createCommand, '--server', server)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs the command, adopts its exit code, and returns whether it succeeded. */
function create(command: string, ...further: string[]): boolean {
  const { status } = spawnSync(process.execPath, [command, ...args, ...further], {
    // The folder of the caller: npm runs scripts in the package's folder.
    cwd: process.env.INIT_CWD ?? process.cwd(),
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
  return status === 0
}
