/** Names the field of a schema that JSON Schema cannot express, and what to declare instead. */

import { z } from 'zod'
import { partsOf } from './schema-parts.ts'

/** What to declare instead, by the type of the schema. */
const INSTEAD: Readonly<Record<string, string>> = {
  date: 'z.iso.datetime()',
  bigint: 'z.string() or z.int()',
  transform: 'the type of its result, and convert the value in the code',
  map: 'z.record(…)',
  set: 'z.array(…)',
  undefined: 'an optional field',
  void: 'an optional field',
  nan: 'z.number().nullable()',
  symbol: 'z.string()',
}

/** The fault of the first field that cannot be listed; undefined if there is none. */
export function unlistedField(
  schema: z.core.$ZodType,
  options: z.core.ToJSONSchemaParams,
  path = '',
  visited = new Set<z.core.$ZodType>(),
): string | undefined {
  if (visited.has(schema)) return undefined
  visited.add(schema)
  for (const { schema: part, property } of partsOf(schema)) {
    const below = property === undefined ? path : `${path}.${property}`
    const fault = unlistedField(part, options, below, visited)
    if (fault !== undefined) return fault
  }
  if (isListed(schema, options)) return undefined
  const { type } = (schema as z.core.$ZodTypes)._zod.def
  const instead = INSTEAD[type]
  const advice = instead === undefined ? '' : `: declare ${instead}`
  return `${path.slice(1) || '(root)'}: a ${type} cannot be represented in JSON Schema${advice}`
}

function isListed(schema: z.core.$ZodType, options: z.core.ToJSONSchemaParams): boolean {
  try {
    z.toJSONSchema(schema, options)
    return true
  } catch {
    return false
  }
}
