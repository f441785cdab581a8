/** Reads one `.env` file: its encoding, its lines, and what is wrong with them. */

import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseEnv } from 'node:util'
import type { Faults } from './faults.ts'

export interface FileVariable {
  readonly name: string
  readonly value: string
  /** Such as `.env, line 3`. */
  readonly where: string
}

const STATEMENT = /^\s*(?:export\s+)?([\w.-]{1,100})\s*=\s*(.*)$/
const NOTHING = /^\s*(?:#|$)/

/**
 * Undefined if there is no such file. Lines that are no assignment are faults: `parseEnv` drops
 * them, some together with the line below.
 */
export function readEnvFile(path: string, faults: Faults): readonly FileVariable[] | undefined {
  const bytes = readIfThere(path)
  if (bytes === undefined) return undefined
  const file = basename(path)
  try {
    return parse(decode(bytes), file, faults)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    faults.add(file, 'must be UTF-8 text, or UTF-16 with a byte order mark: save it as UTF-8')
    return []
  }
}

/** @throws TypeError for bytes that are no text; without a mark UTF-16 shows itself by its NULs */
function decode(bytes: Buffer): string {
  const [first, second] = bytes
  const isLittle = first === 0xff && second === 0xfe
  const encoding = isLittle ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
  // Removes the byte order mark.
  const text = new TextDecoder(encoding, { fatal: true }).decode(bytes)
  if (text.includes('\0')) throw new TypeError('NUL')
  return text
}

function parse(text: string, file: string, faults: Faults): FileVariable[] {
  const lines = text.split(/\r\n|\r|\n/)
  const variables: FileVariable[] = []
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? ''
    if (NOTHING.test(line)) continue
    const where = `${file}, line ${index + 1}`
    const [, name, start = ''] = STATEMENT.exec(line) ?? []
    if (name === undefined) {
      faults.add(where, 'must be NAME=value, or a comment that begins with #')
      continue
    }
    const end = endOfValue(start, lines, index)
    const rest = [start, ...lines.slice(index + 1, end + 1)]
    if (rest.slice(1).some((each) => /^[A-Z][A-Z\d]*(_[A-Z\d]+)*=/.test(each))) {
      faults.add(where, `opens a quote that is not closed before line ${end + 1}`)
    } else {
      variables.push({ name, where, value: parseEnv(`${name}=${rest.join('\n')}`)[name] ?? '' })
      index = end
    }
  }
  return variables
}

/** The index of the line on which a value ends: quotes go on to the line that closes them. */
function endOfValue(start: string, lines: readonly string[], index: number): number {
  const quote = /^["'`]/.exec(start)?.[0]
  if (quote === undefined || start.includes(quote, 1)) return index
  const closing = lines.findIndex((line, at) => at > index && line.includes(quote))
  return closing < 0 ? index : closing
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
