/** `mcp-template settings`: documents the team's own variables, for people and in `.env.example`. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { settingsSection, settingsTable, withSection } from '../config/document-settings.ts'
import { declaredSources, openProject } from '../project.ts'
import { readOptions, UsageError } from './command-line.ts'

export const EXAMPLE = '.env.example'

/**
 * Prints the section of `.env.example`, or a table with `--markdown`; `--write` writes the section
 * into the file and leaves its other lines. Needs no variable to be set.
 */
export async function documentSettings(args: readonly string[]): Promise<void> {
  const options = { write: { type: 'boolean' }, markdown: { type: 'boolean' } } as const
  const { project: folder, positionals, values } = readOptions(args, options)
  if (positionals.length > 0) {
    throw new UsageError(`Nothing may follow, not "${positionals.join(' ')}".`)
  }
  if (values.write && values.markdown) throw new UsageError('--write conflicts with --markdown.')
  const { settings } = declaredSources(await openProject(folder))
  const section = settingsSection(settings)
  // An open handle of a loaded file must not keep the process alive.
  process.stdout.write(`${report()}\n`, () => process.exit(0))

  function report(): string {
    if (values.write) return write(folder, section)
    if (section === undefined) return 'The project declares no settings (createMcp in src/mcp.ts).'
    return values.markdown ? settingsTable(settings) : section
  }
}

function write(folder: string, section: string | undefined): string {
  const file = join(folder, EXAMPLE)
  const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const after = withSection(before, section)
  if (after === before) return `${EXAMPLE} is up to date.`
  writeFileSync(file, after)
  return section === undefined ? `Removed the settings from ${EXAMPLE}.` : `Wrote ${EXAMPLE}.`
}
