/** The text form of an answer: JSON, or TOON, which spends fewer tokens on tables. */

import { encode } from '@toon-format/toon'
import { toWellFormedJson } from '../well-formed.ts'

export type TextFormat = 'json' | 'toon'

/** Writes an already masked answer as text for the model to read; an answer that is a text stays as it is. */
export function answerAsText(answer: unknown, format: TextFormat): string {
  if (typeof answer === 'string') return answer.toWellFormed()
  const json = toWellFormedJson(answer)
  // By way of JSON: TOON would write an absent field as null.
  return format === 'toon' ? encode(JSON.parse(json)) : json
}
