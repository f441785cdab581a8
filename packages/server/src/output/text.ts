/** The text form of an answer: JSON, or TOON, which spends fewer tokens on tables. */

import { encode } from '@toon-format/toon'
import { toWellFormedJson } from '../well-formed.ts'

export type TextFormat = 'json' | 'toon'

/** Writes an already masked answer as text for the model to read. */
export function answerAsText(
  answer: Readonly<Record<string, unknown>>,
  format: TextFormat,
): string {
  const json = toWellFormedJson(answer)
  // By way of JSON: TOON would write an absent field as null.
  return format === 'toon' ? encode(JSON.parse(json)) : json
}
