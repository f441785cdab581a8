/** Text content of a result: JSON, or TOON, which needs fewer tokens for tables. */

import { encode } from '@toon-format/toon'
import { toWellFormedJson } from '../well-formed.ts'

export type TextFormat = 'json' | 'toon'

/** Serializes a masked result as text for the model; a string stays unchanged. */
export function answerAsText(answer: unknown, format: TextFormat): string {
  if (typeof answer === 'string') return answer.toWellFormed()
  const json = toWellFormedJson(answer)
  // Goes through JSON, because TOON would encode undefined fields as null.
  return format === 'toon' ? encode(JSON.parse(json)) : json
}
