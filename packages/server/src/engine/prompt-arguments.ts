/** A prompt's arguments as the SDK takes them: it lists and checks them itself. */

import type { z } from 'zod'
import { toListedSchema } from '../output/listed-schema.ts'
import { listedAs } from './listed-as.ts'
import { validationText } from './validation-text.ts'

/**
 * The same schema, with an object at the root of what is listed, and with few words for what does not
 * fit.
 */
export function promptArguments(schema: z.ZodObject): z.ZodObject {
  const standard = schema['~standard']
  return listedAs(schema, toListedSchema(schema, { io: 'input' }), async (value) => {
    const result = await standard.validate(value)
    return result.issues === undefined
      ? result
      : { issues: [{ message: validationText(result.issues as z.core.$ZodIssue[]) }] }
  })
}
