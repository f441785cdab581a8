/** JSON of clients: limits on its structure, checked before `JSON.parse` allocates any value. */

import { AppError } from './errors.ts'

const UTF_8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Parses a JSON body of at most `values` values.
 * @throws AppError `parse_error`; `invalid_request` for too many values or too much depth
 */
export function parseJson(bytes: Buffer, values: number): unknown {
  const text = decode(bytes)
  const fault = structureFault(text, { depth: MAX_JSON_DEPTH, values })
  if (fault !== undefined)
    throw new AppError('invalid_request', describeFault('body', fault, values))
  try {
    return JSON.parse(text)
  } catch {
    // Omits the cause: its message quotes the body, which would then be logged.
    throw new AppError('parse_error', 'The body is not JSON.')
  }
}

function decode(bytes: Buffer): string {
  try {
    return UTF_8.decode(bytes)
  } catch (error) {
    throw new AppError('parse_error', 'The body is not UTF-8.', { cause: error })
  }
}

export interface StructureBounds {
  /** Maximum nesting depth of arrays and objects. */
  readonly depth: number
  /** Maximum number of values: the root, each array element, and each object member. */
  readonly values: number
}

export type StructureFault = 'too_deep' | 'too_many_values'

/** Nesting depth that recursive parsers survive; no message of the protocol needs more. */
export const MAX_JSON_DEPTH = 64

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]
/** All JSON white space (RFC 8259, section 2) has this character code or a lower one. */
const SPACE = 0x20

/**
 * The structural fault of a text; undefined if the text is within the bounds. Runs in linear time
 * and stops at the first fault. Does not validate the JSON, which is the parser's task.
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

/** An error message for the fault; `what` names the text, such as `body`. */
export function describeFault(what: string, fault: StructureFault, values: number): string {
  if (fault === 'too_deep') return `The ${what} is nested deeper than ${MAX_JSON_DEPTH} levels.`
  return `The ${what} has too many values: the limit is ${values}.`
}

/** Fast path: three native searches, without a loop in JavaScript, rule out a fault. */
function isSmall(text: string, mostDepth: number, mostValues: number): boolean {
  // Each level takes a bracket; each value takes a character plus a comma or bracket.
  if (text.length <= mostDepth) return true
  const opened = countUpTo(mostDepth, text, '{') + countUpTo(mostDepth, text, '[')
  if (opened > mostDepth) return false
  if (text.length <= mostValues) return true
  return opened + countUpTo(mostValues, text, ',') < mostValues
}

/** Counts a character; stops at `most + 1`. */
function countUpTo(most: number, text: string, character: string): number {
  let count = 0
  for (let at = text.indexOf(character); at >= 0 && count <= most; count += 1) {
    at = text.indexOf(character, at + 1)
  }
  return count
}

/** The index of the closing quote of a string that begins at `start`. */
function endOfString(text: string, start: number): number {
  // One native search skips a long string without escapes; any other takes a loop over characters.
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

/** Whether a JSON value is an object, neither null nor an array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
