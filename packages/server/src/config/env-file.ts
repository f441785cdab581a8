/** Parses one `.env` file: its encoding, its lines, and its faults. */

import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseEnv } from 'node:util'
import type { Faults } from './faults.ts'

export interface FileVariable {
  readonly name: string
  readonly value: string
  /** The location, such as `.env, line 3`. */
  readonly where: string
}

const STATEMENT = /^\s*(?:export\s+)?([\w.-]{1,100})\s*=(.*)$/
const NOTHING = /^\s*(?:#|$)/

/**
 * Undefined if there is no such file. Lines that are no assignment, and text that is neither value
 * nor comment, are faults: `parseEnv` silently drops them, sometimes with the line below.
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

/** @throws TypeError for invalid text. Detects UTF-16 without a byte order mark by its NUL bytes */
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
    const [, name, given = ''] = STATEMENT.exec(line) ?? []
    if (name === undefined) {
      faults.add(where, 'must be NAME=value, or a comment that begins with #')
      continue
    }
    const end = endOfQuotes(given.trimStart(), lines, index)
    const rest = lines.slice(index + 1, (end ?? index) + 1)
    const result = end === undefined ? parsePlain(given) : parseQuoted([given, ...rest].join('\n'))
    if (rest.some((each) => /^[A-Z][A-Z\d]*(_[A-Z\d]+)*=/.test(each))) {
      faults.add(where, `opens a quote that is not closed before line ${(end ?? index) + 1}`)
      continue
    }
    index = end ?? index
    if ('fault' in result) faults.add(where, `(${name}) ${result.fault}`)
    else variables.push({ name, where, value: result.value })
  }
  return variables
}

/**
 * The index of the line with the closing quote; undefined for a value without an opening quote, or
 * with an unclosed one.
 */
function endOfQuotes(start: string, lines: readonly string[], index: number): number | undefined {
  const quote = /^["'`]/.exec(start)?.[0]
  if (quote === undefined) return undefined
  if (start.includes(quote, 1)) return index
  const closing = lines.findIndex((line, at) => at > index && line.includes(quote))
  return closing < 0 ? undefined : closing
}

type Parsed = { readonly value: string } | { readonly fault: string }

/**
 * A value without quotes. A comment begins with a `#` after white space, as in shells and compose
 * files; `parseEnv` would end a secret at any `#`.
 */
function parsePlain(given: string): Parsed {
  const value = given.replace(/^#(\s.*)?$|\s#.*$/, '').trim()
  const isUnclear = value.startsWith('#') && /\s/.test(value)
  return isUnclear ? { fault: 'must be quoted, since it begins with #' } : { value }
}

/** A value in quotes, of one line or several; in double quotes `\n` is a line break. */
function parseQuoted(given: string): Parsed {
  const [, rest = ''] = /^\s*(?:"[^"]*"|'[^']*'|`[^`]*`)([\s\S]*)$/.exec(given) ?? []
  if (!/^\s*(#.*)?$/.test(rest)) return { fault: 'must not have text after its closing quote' }
  return { value: parseEnv(`VALUE=${given}`).VALUE ?? '' }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
