/** Overrides the JSON Schema that the SDK lists for a schema. */

import type { z } from 'zod'
import type { JsonSchema } from '../output/listed-schema.ts'

type Standard = z.ZodObject['~standard']

/** Inherits everything else from the schema: the SDK finds completions in its shape. */
export function listedAs<Schema extends z.ZodObject>(
  schema: Schema,
  listed: JsonSchema,
  validate: Standard['validate'] = schema['~standard'].validate,
): Schema {
  const list = () => ({ ...listed })
  const standard = {
    ...schema['~standard'],
    validate,
    jsonSchema: { input: list, output: list },
  }
  return Object.create(schema, { '~standard': { value: standard } }) as Schema
}
