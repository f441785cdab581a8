/** Input described by a JSON Schema of the author's own, for what zod has no words for. */

import {
  fromJsonSchema,
  type JsonSchemaType,
  type StandardSchemaV1Sync,
} from '@modelcontextprotocol/server'
import { z } from 'zod'

/** Of more nobody is told. */
const MOST_ISSUES = 20

/**
 * A tool's `input` as JSON Schema 2020-12. It is listed as it is written, with every keyword
 * (2025-11-25, server/tools, "Tool"; SEP-2106), and arguments are held to it.
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
