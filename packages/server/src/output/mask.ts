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
  /** The number of replacements; by default that of the hidden characters, which reveals it. */
  readonly length?: number
  /**
   * Masks in its own way, such as an email address; excludes the other fields. A text for which it
   * throws, or returns no string, is masked entirely.
   */
  readonly by?: (text: string) => string
}

const maskRules = z.registry<MaskRule>()

/**
 * Masks a text except for `left` characters at its start and `right` at its end. A text too short
 * for that is masked entirely.
 */
export function maskText(text: string, rule: MaskRule): string {
  const { left = 0, right = 0, character = '*', length, by } = rule
  const characters = Array.from(text)
  if (by !== undefined) return maskedBy(by, text) ?? character.repeat(characters.length)
  const hidden = characters.length - left - right
  if (hidden <= 0) return character.repeat(length ?? characters.length)
  const end = right === 0 ? [] : characters.slice(-right)
  return [...characters.slice(0, left), character.repeat(length ?? hidden), ...end].join('')
}

function maskedBy(by: (text: string) => string, text: string): string | undefined {
  try {
    const shown: unknown = by(text)
    return typeof shown === 'string' ? shown : undefined
  } catch {
    return undefined
  }
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
 * @throws RangeError for a negative or fractional count, a mask that is not one character, an unknown
 * field of the rule, and a schema that is not of a string
 */
export function masked<Text extends z.ZodString | z.ZodStringFormat>(
  schema: Text,
  given: MaskRule = {},
): Text {
  if (schema.def.type !== 'string') throw new RangeError('masked takes the schema of a string')
  const fault = ruleFault(given)
  if (fault !== undefined) throw new RangeError(`masked: ${fault}`)
  // With its defaults: a registry of zod has no entry for an empty object.
  const rule = { left: 0, right: 0, character: '*', ...given }
  const result = schema.overwrite((text) => (unmasked ? text : maskText(text, rule)))
  maskRules.add(result, rule)
  return result as Text
}

/** The fault of a rule; undefined if it is valid. */
function ruleFault(rule: MaskRule): string | undefined {
  const { left = 0, right = 0, character = '*', length = 0, by, ...others } = rule
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) {
    return `${unknown} is not one of left, right, character, length, by`
  }
  if (![left, right, length].every((count) => Number.isInteger(count) && count >= 0)) {
    return 'left and right count characters, and so does length: whole numbers from 0'
  }
  if (Array.from(character).length !== 1) return 'character is a single character'
  if (by === undefined) return undefined
  if (typeof by !== 'function') return 'by must be a function'
  return Object.keys(rule).length > 1 ? 'by conflicts with the other fields' : undefined
}

/** The schema's mask rule, if it is masked. */
export function maskRuleOf(schema: z.core.$ZodType): MaskRule | undefined {
  return maskRules.get(schema)
}

export interface Redactor {
  /**
   * Collects the values of masked fields from upstream data or the caller's arguments: at most
   * `most` that it does not have yet, if given. Returns their number.
   */
  learn(value: unknown, most?: number): number
  /** Whether there are values to redact. */
  hides(): boolean
  /** Masks every collected value in the text, including its URL and JSON encodings. */
  scrub(text: string): string
}

/** No-op, for tools without masked fields. */
const NOTHING_MASKED: Redactor = {
  learn: () => 0,
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

function redactorOf(masksByField: ReadonlyMap<string, MaskRule>, known: Spellings): Redactor {
  const secrets = createSecrets(known)

  /** Iterative, because values may be arbitrarily deep or cyclic. */
  function learn(root: unknown, most = Number.POSITIVE_INFINITY): number {
    const seen = new Set<object>()
    let learnt = 0
    const open: (readonly [value: unknown, rule: MaskRule | undefined])[] = [[root, undefined]]
    for (let next = open.pop(); next !== undefined && learnt < most; next = open.pop()) {
      const [value, rule] = next
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') {
        if (rule !== undefined && secrets.add(String(value), rule)) learnt += 1
      } else if (typeof value === 'object' && value !== null && !seen.has(value)) {
        seen.add(value)
        for (const [name, item] of Object.entries(value)) {
          open.push([item, masksByField.get(name) ?? rule])
        }
      }
    }
    return learnt
  }

  const { any: hides, scrub } = secrets
  return { learn: masksByField.size === 0 ? () => 0 : learn, hides, scrub }
}

type Spellings = readonly (readonly [secret: string, shown: string])[]

/** Values to redact, with their spellings. */
function createSecrets(known: Spellings) {
  const masks = new Map<string, string>(known)
  /** Values whose spellings are not in `masks` yet: most calls have no text that needs them. */
  const unspelled = new Map<string, MaskRule>()
  /** Longest first, so that a value that contains another is masked whole; undefined if stale. */
  let sorted: Spellings | undefined

  function sortSpellings(): Spellings {
    for (const [secret, rule] of unspelled) {
      if (masks.has(secret)) continue
      const shown = maskText(secret, rule)
      for (const spelling of spellingsOf(secret)) masks.set(spelling, shown)
    }
    unspelled.clear()
    return [...masks].sort(([a], [b]) => b.length - a.length)
  }

  return {
    /** False for a value that it has already, or that is too short. */
    add(secret: string, rule: MaskRule): boolean {
      if (secret.length < SHORTEST_SECRET) return false
      if (masks.has(secret) || unspelled.has(secret)) return false
      unspelled.set(secret, rule)
      sorted = undefined
      return true
    },
    any: () => masks.size > 0 || unspelled.size > 0,
    scrub(text: string): string {
      sorted ??= sortSpellings()
      return sorted.reduce(
        (scrubbed, [secret, shown]) =>
          scrubbed.includes(secret) ? scrubbed.replaceAll(secret, () => shown) : scrubbed,
        text,
      )
    },
  }
}
