/** A schema that the SDK lists as it is told to. */

import type { z } from 'zod'
import type { JsonSchema } from '../output/listed-schema.ts'

type Standard = z.ZodObject['~standard']

/** The same schema in all other ways: the SDK finds completions in its shape. */
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
