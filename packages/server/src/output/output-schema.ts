/** What a tool may answer: its output schema, made closed, with the masks it declares by field name. */

import type { z } from 'zod'
import { type JsonSchema, toListedSchema } from './listed-schema.ts'
import { type MaskRule, maskRuleOf } from './mask.ts'
import { findMaskedFields } from './masked-fields.ts'
import { nestsFreely } from './schema-parts.ts'

export interface OutputSchema {
  /** For `tools/list`; a masked text is plain text there, since its pattern no longer holds. */
  readonly jsonSchema: JsonSchema
  /** Masks by property name, for the places where a value shows up outside the output. */
  readonly masksByField: ReadonlyMap<string, MaskRule>
  /**
   * Validates, drops what is not declared and masks, in one parse.
   * @throws z.ZodError when the tool's answer does not fit
   */
  readonly parse: (answer: unknown) => Record<string, unknown>
}

const OPEN_TYPES = new Set(['any', 'unknown', 'custom', 'transform'])

/**
 * Compiles an output schema.
 * @throws TypeError when it is open (`z.any()`, `z.unknown()`, `looseObject`, …), since fields that
 * are not declared must not leave the server
 */
export function compileOutputSchema(schema: z.ZodObject): OutputSchema {
  const jsonSchema = toListedSchema(schema, {
    io: 'output',
    override: ({ zodSchema, jsonSchema: node, path }) => {
      refuseOpen(zodSchema, path)
      if (maskRuleOf(zodSchema) === undefined) return
      for (const keyword of ['pattern', 'format', 'minLength', 'maxLength', 'allOf'])
        delete node[keyword]
    },
  })
  const masksByField = findMaskedFields(schema)
  return { jsonSchema, masksByField, parse: (answer) => schema.parse(answer) }
}

function refuseOpen(schema: z.core.$ZodTypes, path: readonly (string | number)[]): void {
  const { def } = schema._zod
  const catchall = def.type === 'object' ? def.catchall : undefined
  const isLoose = catchall !== undefined && catchall._zod.def.type !== 'never'
  // Such as z.json(): whatever the answer holds would leave, at any depth.
  const isAnything = def.type === 'record' && nestsFreely(schema)
  if (!isLoose && !isAnything && !OPEN_TYPES.has(def.type)) return
  const place = path.length === 0 ? 'its root' : path.join('.')
  throw new TypeError(
    `output is open at ${place} (${isLoose ? 'loose object' : def.type}): declare its fields`,
  )
}
