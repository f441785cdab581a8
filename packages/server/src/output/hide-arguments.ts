/** Keeps masked arguments out of the answer, where a tool repeats them in a text that is not masked. */

import type { MaskRule } from './mask.ts'
import type { OutputSchema } from './output-schema.ts'
import { createRedactor, type Redactor } from './redactor.ts'

/**
 * The answer without them; the same object where there is nothing to hide.
 * @throws z.ZodError when a text with a masked argument in it does not fit its schema any more
 */
export function hideArguments(
  answer: unknown,
  output: OutputSchema,
  masks: ReadonlyMap<string, MaskRule>,
  given: unknown,
): unknown {
  const redactor = createRedactor(masks)
  redactor.learn(given)
  if (!redactor.hides()) return answer
  const known = { redactor, fields: output.masksByField, texts: textsOf(output.jsonSchema) }
  const hidden = hide(answer, known)
  return JSON.stringify(hidden) === JSON.stringify(answer) ? answer : output.parse(hidden)
}

interface Known {
  readonly redactor: Redactor
  /** Fields that are masked themselves. */
  readonly fields: ReadonlyMap<string, MaskRule>
  /** Texts that everybody knows from the schema. */
  readonly texts: ReadonlySet<unknown>
}

function hide(value: unknown, known: Known): unknown {
  if (typeof value === 'string') {
    return known.texts.has(value) ? value : known.redactor.scrub(value)
  }
  if (Array.isArray(value)) return value.map((item) => hide(item, known))
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).map(([name, item]) => [
    known.texts.has(name) ? name : known.redactor.scrub(name),
    known.fields.has(name) ? item : hide(item, known),
  ])
  return Object.fromEntries(fields)
}

/** The values of enums and literals in a JSON Schema, and its names. */
function textsOf(jsonSchema: unknown, found = new Set<unknown>()): ReadonlySet<unknown> {
  if (typeof jsonSchema !== 'object' || jsonSchema === null) return found
  for (const [keyword, value] of Object.entries(jsonSchema)) {
    found.add(keyword)
    if (keyword === 'const') found.add(value)
    if (keyword === 'enum' && Array.isArray(value)) for (const text of value) found.add(text)
    textsOf(value, found)
  }
  return found
}
