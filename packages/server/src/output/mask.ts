/** Masking of text values, declared on the schema with `masked(…)`. */

import { z } from 'zod'

export interface MaskRule {
  /** Characters shown at the start; defaults to 0. */
  readonly left?: number
  /** Characters shown at the end; defaults to 0. */
  readonly right?: number
  /** Replacement for each hidden character; defaults to `*`. */
  readonly character?: string
}

const maskRules = z.registry<Required<MaskRule>>()

/**
 * Masks a text except for `left` characters at its start and `right` at its end. A text too short
 * for that is masked entirely.
 */
export function maskText(text: string, rule: MaskRule): string {
  const { left = 0, right = 0, character = '*' } = rule
  const characters = Array.from(text)
  const hidden = characters.length - left - right
  if (hidden <= 0) return character.repeat(characters.length)
  const end = right === 0 ? [] : characters.slice(-right)
  return [...characters.slice(0, left), character.repeat(hidden), ...end].join('')
}

/** Disables masking during one synchronous parse. */
let unmasked = false

/**
 * Runs a synchronous parse without masking, because a tool needs its unmasked arguments. Input and
 * output use the same schema, so that a field is declared only once.
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
 * Declares a text as masked. Parsing the output applies the mask, so no result can bypass it. A
 * masked input field reaches the tool unmasked; its value is redacted from all the tool emits.
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

/** The schema's mask rule, if it is masked. */
export function maskRuleOf(schema: z.core.$ZodType): MaskRule | undefined {
  return maskRules.get(schema)
}
