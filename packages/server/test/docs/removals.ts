/** Does to a copy of `src/` what the README's table of removals says. */

import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './markdown.ts'

export interface Removal {
  readonly feature: string
  readonly files: readonly string[]
  readonly edits: readonly Edit[]
}

interface Edit {
  readonly file: string
  readonly line: string
  /** Undefined to delete the line. */
  readonly replacement: string | undefined
}

/** The rows of the table in a section of markdown. */
export function parseRemovals(section: string): Removal[] {
  const rows = section.split('\n').filter((line) => line.startsWith('| '))
  return rows.slice(2).map((row) => {
    const [feature = '', files = '', changes = ''] = row
      .split('|')
      .slice(1)
      .map((cell) => cell.trim())
    return { feature, files: spans(files).map(({ code }) => code), edits: parseEdits(changes) }
  })
}

function parseEdits(cell: string): Edit[] {
  let file = ''
  const edits: Edit[] = []
  for (const { code, replacement } of spans(cell)) {
    if (/^src\/[\w/.-]+\.ts$/.test(code)) file = code
    else edits.push({ file, line: code, replacement })
  }
  return edits
}

function spans(cell: string) {
  return [...cell.matchAll(/`([^`]+)`(?: → `([^`]+)`)?/g)].map((match) => ({
    code: match[1] ?? '',
    replacement: match[2],
  }))
}

/**
 * Makes the copy in `directory`, without the feature.
 * @throws Error when a file is not there, or a line is not there exactly once
 */
export function removeFrom(directory: string, { files, edits }: Removal): void {
  cpSync(join(ROOT, 'src'), join(directory, 'src'), { recursive: true })
  for (const file of files) rmSync(join(directory, file))
  for (const edit of edits) {
    const path = join(directory, edit.file)
    writeFileSync(path, applyEdit(readFileSync(path, 'utf8'), edit))
  }
}

function applyEdit(text: string, { file, line, replacement }: Edit): string {
  const lines = text.split('\n')
  const found = lines.flatMap((each, index) => (each.trim() === line ? [index] : []))
  const [start, ...others] = found
  if (start === undefined || others.length > 0) {
    throw new Error(`${file} has the line ${found.length} times: ${line}`)
  }
  const indent = /^ */.exec(lines[start] ?? '')?.[0] ?? ''
  const count = replacement === undefined && /(?:[[({]|=>)$/.test(line) ? lengthOf(lines, start) : 1
  lines.splice(start, count, ...(replacement === undefined ? [] : [indent + replacement]))
  return lines.join('\n')
}

/** From a line that opens a bracket to the one that closes it. */
function lengthOf(lines: readonly string[], start: number): number {
  const indent = /^ */.exec(lines[start] ?? '')?.[0].length ?? 0
  const closing = new RegExp(`^ {${indent}}[\\])}]`)
  return lines.slice(start).findIndex((line) => closing.test(line)) + 1
}
