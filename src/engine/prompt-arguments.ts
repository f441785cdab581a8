/** A prompt's arguments as the SDK takes them: it lists and checks them itself. */

import type { z } from 'zod'
import { toListedSchema } from '../output/listed-schema.ts'
import { validationText } from './validation-text.ts'

/**
 * The same schema, with an object at the root of what is listed, and with few words for what does not
 * fit. The SDK finds completions in its shape.
 */
export function promptArguments(schema: z.ZodObject): z.ZodObject {
  const standard = schema['~standard']
  const listed = toListedSchema(schema, { io: 'input' })
  const list = () => ({ ...listed })
  const own = {
    ...standard,
    jsonSchema: { input: list, output: list },
    async validate(value: unknown) {
      const result = await standard.validate(value)
      return result.issues === undefined
        ? result
        : { issues: [{ message: validationText(result.issues as z.core.$ZodIssue[]) }] }
    },
  }
  return Object.create(schema, { '~standard': { value: own } }) as z.ZodObject
}
