/** Redacts masked arguments that a tool repeats in unmasked fields of its result. */

import { createRedactor, type MaskRule, type Redactor } from './mask.ts'
import type { OutputSchema } from './output-schema.ts'

/**
 * How many more values are learnt from the arguments as the caller sent them than from the parsed
 * input, whose schema may have transformed them. Undeclared arguments may have any number, and each
 * is searched for in the whole result (denial of service).
 */
const MORE_GIVEN = 100

/** Collects the masked values of a call's input, and of its arguments before they were parsed. */
export function learnArguments(redactor: Redactor, input: unknown, given: unknown): void {
  const learnt = redactor.learn(input)
  redactor.learn(given, learnt + MORE_GIVEN)
}

/**
 * Returns the redacted result, or the same object if nothing changes. `returned` is what the tool
 * returned, before its parse.
 * @throws z.ZodError if a redacted text no longer matches its schema
 */
export function hideArguments(
  answer: unknown,
  returned: unknown,
  output: OutputSchema,
  masks: ReadonlyMap<string, MaskRule>,
  { input, call }: { readonly input: unknown; readonly call: { readonly arguments: unknown } },
): unknown {
  const redactor = createRedactor(masks)
  learnArguments(redactor, input, call.arguments)
  if (!redactor.hides()) return answer
  const known = { redactor, fields: output.masksByField, texts: textsOf(output.jsonSchema) }
  const hidden = hide(answer, returned, known)
  return JSON.stringify(hidden) === JSON.stringify(answer) ? answer : output.parse(hidden)
}

interface Known {
  readonly redactor: Redactor
  /** Masked fields; a field of the same name elsewhere may be unmasked. */
  readonly fields: ReadonlyMap<string, MaskRule>
  /** Texts that are public in the schema, and so not redacted. */
  readonly texts: ReadonlySet<unknown>
}

/** `returned` is what the tool returned for the value; `mayBeMasked` within a masked field. */
function hide(value: unknown, returned: unknown, known: Known, mayBeMasked = false): unknown {
  if (typeof value === 'string') {
    const isMasked = mayBeMasked && value !== returned
    return isMasked || known.texts.has(value) ? value : known.redactor.scrub(value)
  }
  if (typeof value !== 'object' || value === null) return value
  const before = (returned ?? {}) as Readonly<Record<PropertyKey, unknown>>
  if (Array.isArray(value)) {
    return value.map((item, index) => hide(item, before[index], known, mayBeMasked))
  }
  const fields = Object.entries(value).map(([name, item]) => [
    known.texts.has(name) ? name : known.redactor.scrub(name),
    hide(item, before[name], known, mayBeMasked || known.fields.has(name)),
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
