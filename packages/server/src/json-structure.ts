/** Bounds on the structure of a JSON text, checked before `JSON.parse` builds anything of it. */

export interface StructureBounds {
  /** Levels of containers in each other. */
  readonly depth: number
  /** Values: the root, each element of an array, and each member of an object with its name. */
  readonly values: number
}

export type StructureFault = 'too_deep' | 'too_many_values'

/** What parsers that recurse stand, and no message of the protocol needs. */
export const MAX_JSON_DEPTH = 64

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]
/** All white space of JSON (RFC 8259, section 2) is at or below it. */
const SPACE = 0x20

/**
 * What is wrong with the structure of a text; undefined for one within the bounds. Takes linear time
 * for any text and stops at the first fault. Whether it is JSON at all is for the parser to say.
 */
export function structureFault(
  text: string,
  { depth: mostDepth, values: mostValues }: StructureBounds,
): StructureFault | undefined {
  if (isSmall(text, mostDepth, mostValues)) return undefined
  let depth = 0
  let values = 1
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) {
      at = endOfString(text, at + 1)
    } else if (character === COMMA) {
      values += 1
      if (values > mostValues) return 'too_many_values'
    } else if (character === OPEN_OBJECT || character === OPEN_ARRAY) {
      depth += 1
      if (depth > mostDepth) return 'too_deep'
      // The first value of a container has no comma before it.
      if (!isClosedAfter(text, at)) values += 1
      if (values > mostValues) return 'too_many_values'
    } else if (character === CLOSE_OBJECT || character === CLOSE_ARRAY) {
      depth -= 1
    }
  }
  return undefined
}

/** The fault in words; `what` is the text, such as a body. */
export function describeFault(what: string, fault: StructureFault, values: number): string {
  if (fault === 'too_deep') return `The ${what} is nested deeper than ${MAX_JSON_DEPTH} levels.`
  return `The ${what} has too many values: the limit is ${values}.`
}

/** Whether no reading of the characters could break a bound: three searches, no loop in JavaScript. */
function isSmall(text: string, mostDepth: number, mostValues: number): boolean {
  // A value takes a character, and a comma or bracket besides.
  if (text.length <= mostDepth) return true
  const opened = countUpTo(mostDepth, text, '{') + countUpTo(mostDepth, text, '[')
  if (opened > mostDepth) return false
  if (text.length <= mostValues) return true
  return opened + countUpTo(mostValues, text, ',') < mostValues
}

/** How often a character occurs; one more than `most` where it is more often than that. */
function countUpTo(most: number, text: string, character: string): number {
  let count = 0
  for (let at = text.indexOf(character); at >= 0 && count <= most; count += 1) {
    at = text.indexOf(character, at + 1)
  }
  return count
}

/** The index of the closing quote of a string that begins at `start`. */
function endOfString(text: string, start: number): number {
  // Long strings without escapes are left in one search, all others character by character.
  const nearest = text.indexOf('"', start)
  if (nearest === -1) return text.length
  if (text.charCodeAt(nearest - 1) !== BACKSLASH) return nearest
  let at = start
  while (at < text.length) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) return at
    at += character === BACKSLASH ? 2 : 1
  }
  return text.length
}

function isClosedAfter(text: string, open: number): boolean {
  let at = open + 1
  while (text.charCodeAt(at) <= SPACE) at += 1
  const next = text.charCodeAt(at)
  return next === CLOSE_OBJECT || next === CLOSE_ARRAY
}
