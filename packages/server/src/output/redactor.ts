/** Keeps the values a tool masks out of everything else a call says: errors, progress and logs. */

import { type MaskRule, maskText } from './mask.ts'

/** Shorter values would turn up in ordinary words. */
const SHORTEST_SECRET = 4

export interface Redactor {
  /** Remembers the values of masked fields in what came from upstream. */
  learn(value: unknown): void
  /** The text with every remembered value masked. */
  scrub(text: string): string
}

/** One for each call; `masksByField` comes from the tool's output schema. */
export function createRedactor(masksByField: ReadonlyMap<string, MaskRule>): Redactor {
  const masks = new Map<string, string>()

  function remember(secret: string, shown: string): void {
    if (secret.length >= SHORTEST_SECRET) masks.set(secret, shown)
  }

  /** Without recursion, since a value may be as deep as it likes, or lead back to itself. */
  function learn(root: unknown): void {
    const seen = new Set<object>()
    const open: (readonly [value: unknown, rule: MaskRule | undefined])[] = [[root, undefined]]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [value, rule] = next
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') {
        if (rule !== undefined) remember(String(value), maskText(String(value), rule))
      } else if (typeof value === 'object' && value !== null && !seen.has(value)) {
        seen.add(value)
        for (const [name, item] of Object.entries(value)) {
          open.push([item, masksByField.get(name) ?? rule])
        }
      }
    }
  }

  return {
    learn(value) {
      if (masksByField.size > 0) learn(value)
    },
    scrub(text) {
      // Longest first, so that a value that contains another one is hidden whole.
      const known = [...masks].sort(([a], [b]) => b.length - a.length)
      return known.reduce(
        (scrubbed, [secret, shown]) => scrubbed.replaceAll(secret, () => shown),
        text,
      )
    },
  }
}
