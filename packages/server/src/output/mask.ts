/** Masking of single values, declared on the schema with `masked(…)`. */

import { z } from 'zod'

export interface MaskRule {
  /** Characters kept at the start; 0 when not given. */
  readonly left?: number
  /** Characters kept at the end; 0 when not given. */
  readonly right?: number
  /** What stands for each hidden character; `*` when not given. */
  readonly character?: string
}

const maskRules = z.registry<Required<MaskRule>>()

/**
 * Hides all of a text but `left` characters at its start and `right` at its end. A text too short
 * to hide anything that way is hidden whole.
 */
export function maskText(text: string, rule: MaskRule): string {
  const { left = 0, right = 0, character = '*' } = rule
  const characters = Array.from(text)
  const hidden = characters.length - left - right
  if (hidden <= 0) return character.repeat(characters.length)
  const end = right === 0 ? [] : characters.slice(-right)
  return [...characters.slice(0, left), character.repeat(hidden), ...end].join('')
}

/** Whether masks are off, during one synchronous parse. */
let unmasked = false

/**
 * Runs a synchronous parse that leaves masked fields as they are: a tool needs its arguments whole.
 * The schema is the same either way, since a field is declared once.
 */
export function withoutMasking<T>(parse: () => T): T {
  unmasked = true
  try {
    return parse()
  } finally {
    unmasked = false
  }
}

/**
 * Declares that a text leaves the server masked. Masking is part of parsing the output, so no
 * answer can be built without it. An input field that is declared so reaches the tool whole, and its
 * value is masked wherever the tool lets it out.
 * @throws RangeError for a negative or fractional count, or a mask that is not one character
 */
export function masked(
  schema: z.ZodString,
  { left = 0, right = 0, character = '*' }: MaskRule = {},
): z.ZodString {
  if (![left, right].every((count) => Number.isInteger(count) && count >= 0)) {
    throw new RangeError('left and right count characters')
  }
  if (Array.from(character).length !== 1) throw new RangeError('character is a single character')
  const rule = { left, right, character }
  const result = schema.overwrite((text) => (unmasked ? text : maskText(text, rule)))
  maskRules.add(result, rule)
  return result
}

/** The rule a schema was declared with, if it is masked. */
export function maskRuleOf(schema: z.core.$ZodType): MaskRule | undefined {
  return maskRules.get(schema)
}
