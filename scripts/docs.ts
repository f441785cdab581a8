/**
 * Generates docs/configuration.md and .env.example from the descriptions of the variables.
 * `--check` writes nothing and fails if a file is out of date.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { z } from 'zod'
import { defaultOf, facts, wantedBy } from '../packages/server/src/config/facts.ts'
import { sections } from '../packages/server/src/config/variables.ts'

interface Entry {
  readonly name: string
  readonly what: string
  readonly wants: string
  readonly fallback: string
  /** Whether the default can be written in a `.env` file unchanged. */
  readonly fallbackIsValue: boolean
  readonly isSecret: boolean
  readonly isRequired: boolean
}

const NOTE = 'Written by `npm run docs`; do not edit.'
const LINE_WIDTH = 98

function entriesOf(variables: z.ZodRawShape): Entry[] {
  return Object.entries(variables).map(([name, given]) => {
    const schema = given as z.ZodType
    const known = facts.get(schema)
    if (known === undefined) throw new Error(`${name} has no description`)
    return {
      name,
      what: known.what,
      wants: wantedBy(schema),
      fallback: defaultOf(schema),
      fallbackIsValue: known.defaultText === undefined,
      isSecret: known.secret === true,
      isRequired: known.requiredInProduction === true,
    }
  })
}

function reference(): string {
  const parts = [
    '# Configuration',
    `<!-- ${NOTE} -->`,
    'Variables come from the environment of the process, over `NAME.env` when the server is started with `--env NAME`, over `.env`. In these files a comment begins with `#` at the start of a line or after white space; `KEY=abc#def` is a value. An empty variable counts as unset. A secret can be in a file, which the variable with `_FILE` after its name names, such as JWT_SECRET_FILE=/run/secrets/jwt; one newline at its end is removed, and JWT_SECRET must not be set as well. All faults are reported together when the server starts.',
    ...sections.flatMap(({ title, variables }) => [`## ${title}`, table(entriesOf(variables))]),
  ]
  return `${parts.join('\n\n')}\n`
}

function table(entries: readonly Entry[]): string {
  const head = ['Name', 'What', 'Value', 'Default', 'Secret', 'Required in production']
  const rows = entries.map((entry) => [
    `\`${entry.name}\``,
    entry.what,
    entry.wants,
    entry.fallbackIsValue && entry.fallback !== '' ? `\`${entry.fallback}\`` : entry.fallback,
    entry.isSecret ? 'yes' : '',
    entry.isRequired ? 'yes' : '',
  ])
  return [head, head.map(() => '---'), ...rows].map(row).join('\n')
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('<', '&lt;')).join(' | ')} |`
}

function envExample(): string {
  const head = [
    `# ${NOTE}`,
    '# Copy it to .env and uncomment what you change; development runs with nothing set.',
  ]
  const parts = sections.flatMap(({ title, variables }) => [
    `# ---- ${title} ----`,
    ...entriesOf(variables).map(exampleOf),
  ])
  return `${[head.join('\n'), ...parts].join('\n\n')}\n`
}

function exampleOf(entry: Entry): string {
  const remarks = [
    entry.what,
    `Value: ${entry.wants}.`,
    ...(entry.fallbackIsValue || entry.fallback === '' ? [] : [`Default: ${entry.fallback}.`]),
    ...(entry.isRequired ? ['Required in production.'] : []),
    ...(entry.isSecret ? ['Secret.'] : []),
  ]
  const value = entry.fallbackIsValue ? entry.fallback : ''
  return [...wrap(remarks.join(' ')), `${entry.name}=${value}`]
    .map((line) => `# ${line}`)
    .join('\n')
}

function wrap(text: string): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + word.length + 1 > LINE_WIDTH) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

function writeOrCheck(file: string, content: string): void {
  const path = join(process.cwd(), file)
  if (!process.argv.includes('--check')) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    return
  }
  if (read(path) === content) return
  console.error(`${file} is out of date: run npm run docs`)
  process.exitCode = 1
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

writeOrCheck('docs/configuration.md', reference())
writeOrCheck('.env.example', envExample())
