/** Matches text against literals and variables in linear time, without backtracking (no ReDoS). */

export type Part = Literal | Variable

interface Literal {
  readonly text: string
  /** Number of parts that may be absent together, including this one; 0 if required. */
  readonly optionalParts: number
}

export interface Variable {
  readonly name: string
  /** Allowed characters of its value, by ASCII code; at least one character. */
  readonly accepts: Uint8Array
  /** Separator of a list's values, such as `{tags*}`. */
  readonly separator?: string
}

/** The raw value of each variable that is present. */
export type RawValues = Map<string, string | readonly string[]>

/** Greedy: a variable takes as much as the parts after it allow. */
export function matchParts(parts: readonly Part[], text: string): RawValues | undefined {
  const [first] = parts
  const isOther = first !== undefined && 'text' in first && !first.optionalParts
  if (isOther && !text.startsWith(first.text)) return undefined
  const rows = findFits(parts, text)
  const fits = (index: number, at: number) => rows[index]?.[at] === 1
  if (!fits(0, 0)) return undefined
  const values: RawValues = new Map()
  let at = 0
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index] as Part
    if ('text' in part) {
      if (text.startsWith(part.text, at) && fits(index + 1, at + part.text.length)) {
        at += part.text.length
      } else {
        index += part.optionalParts - 1
      }
      continue
    }
    let end = at
    for (let next = at; part.accepts[text.charCodeAt(next)] === 1; next += 1) {
      if (fits(index + 1, next + 1)) end = next + 1
    }
    const value = text.slice(at, end)
    values.set(part.name, part.separator === undefined ? value : value.split(part.separator))
    at = end
  }
  return values
}

type Row = Uint8Array

/** For each part, the offsets at which it and all later parts match; computed from the end. */
function findFits(parts: readonly Part[], text: string): readonly Row[] {
  const rows = Array.from({ length: parts.length + 1 }, () => new Uint8Array(text.length + 1))
  const rowOf = (index: number) => rows[index] as Row
  rowOf(parts.length)[text.length] = 1
  for (let index = parts.length - 1; index >= 0; index -= 1) {
    const part = parts[index] as Part
    const next = rowOf(index + 1)
    if ('text' in part) {
      const without = part.optionalParts > 0 ? rowOf(index + part.optionalParts) : undefined
      fillLiteral(rowOf(index), text, part.text, next, without)
    } else {
      fillVariable(rowOf(index), text, part.accepts, next)
    }
  }
  return rows
}

function fillLiteral(row: Row, text: string, literal: string, next: Row, without?: Row): void {
  if (without !== undefined) row.set(without)
  for (let at = text.indexOf(literal); at !== -1; at = text.indexOf(literal, at + 1)) {
    if (next[at + literal.length] === 1) row[at] = 1
  }
}

function fillVariable(row: Row, text: string, accepts: Uint8Array, next: Row): void {
  for (let at = text.length - 1; at >= 0; at -= 1) {
    if (accepts[text.charCodeAt(at)] !== 1) continue
    if (next[at + 1] === 1 || row[at + 1] === 1) row[at] = 1
  }
}
