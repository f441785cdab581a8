/** Tool input as the author's own JSON Schema, for constraints that zod cannot express. */

import {
  fromJsonSchema,
  type JsonSchemaType,
  type StandardSchemaV1Sync,
} from '@modelcontextprotocol/server'
import { z } from 'zod'

/** Maximum number of reported issues. */
const MOST_ISSUES = 20

/**
 * A tool's `input` as JSON Schema 2020-12. Listed unchanged, with every keyword (2025-11-25,
 * server/tools, "Tool"; SEP-2106); arguments are validated against it.
 * @throws Error for a schema that does not compile
 */
export function jsonSchema(
  schema: JsonSchemaType,
): z.ZodObject<Record<never, never>, z.core.$loose> {
  const { validate } = (fromJsonSchema(schema) as unknown as StandardSchemaV1Sync)['~standard']
  return z
    .looseObject({})
    .superRefine((value, context) => {
      const { issues = [] } = validate(value)
      for (const { message } of issues.slice(0, MOST_ISSUES))
        context.addIssue({ code: 'custom', message })
    })
    .meta({ ...schema })
}
