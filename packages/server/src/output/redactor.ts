/** Redacts masked values from a call's other output: errors, logs, progress, elicitation. */

import { SHORTEST_SECRET, secretSpellings, spellingsOf } from '../logger/secret-values.ts'
import { type MaskRule, maskText } from './mask.ts'

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
