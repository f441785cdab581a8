/** Redacts masked arguments that a tool repeats in unmasked fields of its result. */

import { createRedactor, type MaskRule, type Redactor } from './mask.ts'
import type { OutputSchema } from './output-schema.ts'

/**
 * Returns the redacted result, or the same object if nothing changes.
 * @throws z.ZodError if a redacted text no longer matches its schema
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
  /** Fields that are already masked. */
  readonly fields: ReadonlyMap<string, MaskRule>
  /** Texts that are public in the schema, and so not redacted. */
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

/** Collects enum values, literals and names from a JSON Schema. */
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
