/**
 * Masking of text values, declared on the schema with `masked(…)`, and their redaction in a call's
 * other output: errors, logs, progress, elicitation.
 */

import { z } from 'zod'
import { SHORTEST_SECRET, secretSpellings, spellingsOf } from '../logger/secret-values.ts'

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

export interface Redactor {
  /** Collects the values of masked fields from upstream data or the caller's arguments. */
  learn(value: unknown): void
  /** Whether there are values to redact. */
  hides(): boolean
  /** Masks every collected value in the text, including its URL and JSON encodings. */
  scrub(text: string): string
}

/** No-op, for tools without masked fields. */
const NOTHING_MASKED: Redactor = {
  learn: () => undefined,
  hides: () => false,
  scrub: (text) => text,
}

export type CreateRedactor = (masksByField: ReadonlyMap<string, MaskRule>) => Redactor

/** Creates redactors that also redact the `secrets` of the process. */
export function createRedactors(secrets: readonly string[]): CreateRedactor {
  const known = secretSpellings(secrets)
  if (known.length === 0) return createRedactor
  const forNoMasks = redactorOf(new Map(), known)
  return (masksByField) => (masksByField.size === 0 ? forNoMasks : redactorOf(masksByField, known))
}

/** Creates the redactor of one call; `masksByField` comes from the tool's schemas. */
export function createRedactor(masksByField: ReadonlyMap<string, MaskRule>): Redactor {
  return masksByField.size === 0 ? NOTHING_MASKED : redactorOf(masksByField, [])
}

function redactorOf(
  masksByField: ReadonlyMap<string, MaskRule>,
  known: readonly (readonly [secret: string, shown: string])[],
): Redactor {
  const masks = new Map<string, string>(known)
  /** Longest first, so that a value that contains another is masked whole; undefined if stale. */
  let sorted: readonly (readonly [secret: string, shown: string])[] | undefined

  function remember(secret: string, rule: MaskRule): void {
    if (secret.length < SHORTEST_SECRET || masks.has(secret)) return
    const shown = maskText(secret, rule)
    for (const spelling of spellingsOf(secret)) masks.set(spelling, shown)
    sorted = undefined
  }

  /** Iterative, because values may be arbitrarily deep or cyclic. */
  function learn(root: unknown): void {
    const seen = new Set<object>()
    const open: (readonly [value: unknown, rule: MaskRule | undefined])[] = [[root, undefined]]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [value, rule] = next
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') {
        if (rule !== undefined) remember(String(value), rule)
      } else if (typeof value === 'object' && value !== null && !seen.has(value)) {
        seen.add(value)
        for (const [name, item] of Object.entries(value)) {
          open.push([item, masksByField.get(name) ?? rule])
        }
      }
    }
  }

  return {
    learn: masksByField.size === 0 ? () => undefined : learn,
    hides: () => masks.size > 0,
    scrub(text) {
      sorted ??= [...masks].sort(([a], [b]) => b.length - a.length)
      return sorted.reduce(
        (scrubbed, [secret, shown]) =>
          scrubbed.includes(secret) ? scrubbed.replaceAll(secret, () => shown) : scrubbed,
        text,
      )
    },
  }
}
