/** Matches text against literals and variables in turn, in time linear in both: nothing backtracks. */

export type Part = Literal | Variable

interface Literal {
  readonly text: string
  /** The parts that may be absent together with this one, itself included; 0 where it must be there. */
  readonly optionalParts: number
}

export interface Variable {
  readonly name: string
  /** Which characters its value may have, at least one of them, by their ASCII code. */
  readonly accepts: Uint8Array
  /** What separates the values of a list, such as `{tags*}`. */
  readonly separator?: string
}

/** The value of each variable that is there, as it stands in the text. */
export type RawValues = Map<string, string | readonly string[]>

/** A variable takes as much as it can and leaves to those after it what they need. */
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

/** For each part, the places from which it and those after it match; worked out from the end. */
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
