/** What a schema is made of, one level down, whatever kind of schema it is. */

import { z } from 'zod'

export interface SchemaPart {
  readonly schema: z.core.$ZodType
  /** The property it describes; undefined when it is only a part of its parent's value. */
  readonly property?: string
}

/** The schemas in a schema's definition: properties, items, members of a union, what it wraps. */
export function partsOf(schema: z.core.$ZodType): readonly SchemaPart[] {
  const known = schema as z.core.$ZodTypes
  const { def } = known._zod
  // The getter itself may make a new schema at every call.
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

/** Whether a value of `schema` can hold another one without a declared property in between. */
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
