/** Encodes values as JSON text that every driver accepts, with or without RedisJSON. */

import { wellFormedJson } from '../well-formed.ts'

/** RedisJSON rejects values nested 128 levels deep. All drivers share this limit. */
const MAX_DEPTH = 100

/**
 * The JSON text of a value. Lone surrogates become U+FFFD, since RedisJSON rejects them.
 * @param depth nesting levels of the document around the value
 * @throws TypeError for a value that JSON cannot express or that is nested too deeply
 */
export function encodeJson(value: unknown, depth = 0): string {
  const text: string | undefined = JSON.stringify(value)
  if (text === undefined) throw new TypeError('A stored value must be JSON-serializable.')
  if (depth + depthOf(text) > MAX_DEPTH) {
    throw new TypeError(`A stored value must not be nested more than ${MAX_DEPTH} levels deep.`)
  }
  return wellFormedJson(text)
}

function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]
    if (char === '"') at = endOfString(text, at)
    else if (char === '[' || char === '{') deepest = Math.max(deepest, ++depth)
    else if (char === ']' || char === '}') depth -= 1
  }
  return deepest
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}
