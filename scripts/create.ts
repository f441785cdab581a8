/**
 * `npm run create -- DIRECTORY`: creates a project from this checkout, with packages as they would be
 * published, so that it works before they are.
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packPackages } from './pack.ts'

const args = process.argv.slice(2)
const hasHelp = args.includes('--help') || args.includes('-h')

// Packing takes a while; bad arguments are refused before it.
if (create(join(import.meta.dirname, '../packages/create/index.js'), '--dry-run') && !hasHelp) {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-template-pack-'))
  try {
    const { server, createCommand } = packPackages(folder)
    create(createCommand, '--server', server)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Whether the command ended well; if not, so does this process. */
function create(command: string, ...further: string[]): boolean {
  const { status } = spawnSync(process.execPath, [command, ...args, ...further], {
    // Where the command was typed: npm runs scripts in the folder of the package.
    cwd: process.env.INIT_CWD ?? process.cwd(),
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
  return status === 0
}
