/** Which fields of an output schema are masked, wherever in the schema the masks are declared. */

import type { z } from 'zod'
import { type MaskRule, maskRuleOf } from './mask.ts'
import { partsOf } from './schema-parts.ts'

/**
 * Masks by property name. A mask on an array's items, a record's values or one member of a union
 * belongs to the property that holds them. Where two places name the same property, the mask that
 * shows less counts.
 */
export function findMaskedFields(root: z.core.$ZodType): ReadonlyMap<string, MaskRule> {
  const masks = new Map<string, MaskRule>()
  const visited = new Map<z.core.$ZodType, Set<string | undefined>>()

  function visit(schema: z.core.$ZodType, field: string | undefined): void {
    const fields = visited.get(schema) ?? new Set()
    if (fields.has(field)) return
    visited.set(schema, fields.add(field))
    const rule = maskRuleOf(schema)
    if (rule !== undefined && field !== undefined)
      masks.set(field, stricter(rule, masks.get(field)))
    for (const part of partsOf(schema)) visit(part.schema, part.property ?? field)
  }

  visit(root, undefined)
  return masks
}

/** The masks of several schemas together; where two name the same property, the stricter counts. */
export function mergeMasks(
  ...fields: readonly ReadonlyMap<string, MaskRule>[]
): ReadonlyMap<string, MaskRule> {
  const merged = new Map<string, MaskRule>()
  for (const [field, rule] of fields.flatMap((masks) => [...masks])) {
    merged.set(field, stricter(rule, merged.get(field)))
  }
  return merged
}

function stricter(rule: MaskRule, known: MaskRule | undefined): MaskRule {
  return known !== undefined && shown(known) < shown(rule) ? known : rule
}

function shown({ left = 0, right = 0 }: MaskRule): number {
  return left + right
}
