/** Matches text against literals and variables in turn, in time linear in both: nothing backtracks. */

export type Part = Literal | Variable

interface Literal {
  readonly text: string
  /** The parts that may be absent together with this one, itself included; 0 where it must be there. */
  readonly optionalParts: number
}

export interface Variable {
  readonly name: string
  /** Which characters its value may have, at least one of them. */
  readonly accepts: RegExp
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
  const fits = findFits(parts, text)
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
    for (let next = at; part.accepts.test(text[next] ?? ''); next += 1) {
      if (fits(index + 1, next + 1)) end = next + 1
    }
    const value = text.slice(at, end)
    values.set(part.name, part.separator === undefined ? value : value.split(part.separator))
    at = end
  }
  return values
}

/** Whether the parts from one on match the text from a place on, worked out from the end. */
function findFits(parts: readonly Part[], text: string) {
  const table = Array.from({ length: parts.length + 1 }, () => new Uint8Array(text.length + 1))
  const fits = (index: number, at: number) => table[index]?.[at] === 1
  const last = table[parts.length]
  if (last !== undefined) last[text.length] = 1
  for (let index = parts.length - 1; index >= 0; index -= 1) {
    const part = parts[index] as Part
    const row = table[index] as Uint8Array
    for (let at = text.length; at >= 0; at -= 1) {
      const does =
        'text' in part
          ? (text.startsWith(part.text, at) && fits(index + 1, at + part.text.length)) ||
            (part.optionalParts > 0 && fits(index + part.optionalParts, at))
          : part.accepts.test(text[at] ?? '') && (fits(index + 1, at + 1) || fits(index, at + 1))
      if (does) row[at] = 1
    }
  }
  return fits
}
