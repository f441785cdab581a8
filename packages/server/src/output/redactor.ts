/** Keeps masked values out of everything else a call says: errors, logs, progress, questions. */

import { SHORTEST_SECRET, secretSpellings, spellingsOf } from '../logger/secret-values.ts'
import { type MaskRule, maskText } from './mask.ts'

export interface Redactor {
  /** Remembers the values of masked fields in what came from upstream or from the caller. */
  learn(value: unknown): void
  /** Whether there is any value to hide. */
  hides(): boolean
  /** The text with every remembered value masked, also where it is encoded for a URL or as JSON. */
  scrub(text: string): string
}

/** For tools that mask nothing. */
const NOTHING_MASKED: Redactor = {
  learn: () => undefined,
  hides: () => false,
  scrub: (text) => text,
}

export type CreateRedactor = (masksByField: ReadonlyMap<string, MaskRule>) => Redactor

/** Makes redactors that also hide the `secrets` of the process. */
export function createRedactors(secrets: readonly string[]): CreateRedactor {
  const known = secretSpellings(secrets)
  if (known.length === 0) return createRedactor
  const forNoMasks = redactorOf(new Map(), known)
  return (masksByField) => (masksByField.size === 0 ? forNoMasks : redactorOf(masksByField, known))
}

/** One for each call; `masksByField` comes from the tool's schemas. */
export function createRedactor(masksByField: ReadonlyMap<string, MaskRule>): Redactor {
  return masksByField.size === 0 ? NOTHING_MASKED : redactorOf(masksByField, [])
}

function redactorOf(
  masksByField: ReadonlyMap<string, MaskRule>,
  known: readonly (readonly [secret: string, shown: string])[],
): Redactor {
  const masks = new Map<string, string>(known)
  /** Longest first, so that a value that contains another one is hidden whole; undefined if stale. */
  let sorted: readonly (readonly [secret: string, shown: string])[] | undefined

  function remember(secret: string, rule: MaskRule): void {
    if (secret.length < SHORTEST_SECRET || masks.has(secret)) return
    const shown = maskText(secret, rule)
    for (const spelling of spellingsOf(secret)) masks.set(spelling, shown)
    sorted = undefined
  }

  /** Without recursion, since a value may be as deep as it likes, or lead back to itself. */
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
