/** Direct child schemas of any zod schema, for schema traversal. */

import { z } from 'zod'

export interface SchemaPart {
  readonly schema: z.core.$ZodType
  /** Name of the described property; undefined for wrapped schemas, items and union members. */
  readonly property?: string
}

/** Child schemas: properties, items, union members and wrapped schemas. */
export function partsOf(schema: z.core.$ZodType): readonly SchemaPart[] {
  const known = schema as z.core.$ZodTypes
  const { def } = known._zod
  // Uses `innerType`, which is cached: the getter may create a new schema at each call.
  if (def.type === 'lazy') return [{ schema: (known as z.core.$ZodLazy)._zod.innerType }]
  const shape = def.type === 'object' ? Object.entries(def.shape) : []
  const values: unknown[] = Object.values(def).flat()
  return [
    ...shape.map(([property, value]) => ({ schema: value, property })),
    ...values
      .filter((value) => value instanceof z.core.$ZodType)
      .map((value) => ({ schema: value })),
  ]
}

/** Whether `schema` can nest itself without a declared property in between. */
export function nestsFreely(schema: z.core.$ZodType): boolean {
  const visited = new Set<z.core.$ZodType>()
  const open = [schema]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { schema: part, property } of partsOf(next)) {
      if (part === schema) return true
      if (property !== undefined || visited.has(part)) continue
      visited.add(part)
      open.push(part)
    }
  }
  return false
}
