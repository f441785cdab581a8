/** Collects the masked fields of a schema, by property name. */

import type { z } from 'zod'
import { type MaskRule, maskRuleOf } from './mask.ts'
import { partsOf } from './schema-parts.ts'

/**
 * Masks by property name. A mask on array items, record values or a union member applies to the
 * property that contains them. If a property name has several masks, the one that shows fewer
 * characters applies.
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

/** Merges the masks of several schemas; for a common property name, the stricter applies. */
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

/** What a function shows is not known: any other mask is stricter. */
function shown({ left = 0, right = 0, by }: MaskRule): number {
  return by === undefined ? left + right : Number.POSITIVE_INFINITY
}
