/** How the demo starts the server: what was built, or the sources when nothing was. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
const BUILT = join(ROOT, 'dist/main.js')

export interface Command {
  readonly program: string
  readonly args: readonly string[]
  /** As a person would type it. */
  readonly shown: string
}

/** The server's command; `mode` is what follows on the line. */
export function serverCommand(...mode: string[]): Command {
  const program = process.execPath
  if (existsSync(BUILT)) {
    return { program, args: [BUILT, ...mode], shown: ['node dist/main.js', ...mode].join(' ') }
  }
  const args = ['--import', import.meta.resolve('tsx'), join(ROOT, 'src/main.ts'), ...mode]
  return { program, args, shown: ['tsx src/main.ts', ...mode].join(' ') }
}

/**
 * The defaults that the server brings along: nothing of the caller's environment but what a process
 * needs to run at all.
 */
export function embeddedDefaults(): Record<string, string> {
  const kept = ['PATH', 'SystemRoot', 'TEMP', 'TMPDIR'].map((name) => [name, process.env[name]])
  const needed = Object.fromEntries(kept.filter(([, value]) => value !== undefined))
  return { ...needed, MASK_MCP_PORT: '0' }
}
