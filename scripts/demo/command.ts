/** The command that starts the server: the starter, with the framework from its sources. */

import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

export interface Command {
  readonly program: string
  readonly args: readonly string[]
  /** As a user types it in a project. */
  readonly shown: string
}

/** The server's command; `mode` are the arguments after `start`. */
export function serverCommand(...mode: string[]): Command {
  const command = join(ROOT, 'packages/server/bin/mcp-template.js')
  const project = ['--project', join(ROOT, 'starter')]
  return {
    program: process.execPath,
    args: ['--conditions=@mcp-template/source', command, 'start', ...mode, ...project],
    shown: ['mcp-template start', ...mode].join(' '),
  }
}

/** The server's defaults: passes only the environment variables that any process requires. */
export function embeddedDefaults(): Record<string, string> {
  const kept = ['PATH', 'SystemRoot', 'TEMP', 'TMPDIR'].map((name) => [name, process.env[name]])
  const needed = Object.fromEntries(kept.filter(([, value]) => value !== undefined))
  return { ...needed, MASK_MCP_PORT: '0' }
}
