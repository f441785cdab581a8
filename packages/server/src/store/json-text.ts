/** JSON as the drivers write it: text that every Redis, with JSON commands or without, accepts. */

import { wellFormedJson } from '../well-formed.ts'

/** RedisJSON refuses values nested 128 deep; the limit is the same for every driver. */
const MAX_DEPTH = 100

/**
 * The JSON text of a value. Lone surrogates become U+FFFD, since RedisJSON refuses them.
 * @param depth levels that already surround the value in its document
 * @throws TypeError for a value that JSON cannot express or that is nested too deeply
 */
export function encodeJson(value: unknown, depth = 0): string {
  const text: string | undefined = JSON.stringify(value)
  if (text === undefined) throw new TypeError('A stored value must be expressible as JSON.')
  if (depth + depthOf(text) > MAX_DEPTH) {
    throw new TypeError(`A stored value may be nested ${MAX_DEPTH} levels deep at most.`)
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
