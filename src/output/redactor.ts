/** Keeps the values a tool masks out of everything else a call says: errors, progress and logs. */

import { type MaskRule, maskText } from './mask.ts'

/** Shorter values would turn up in ordinary words. */
const SHORTEST_SECRET = 4

export interface Redactor {
  /** Remembers the values of masked fields in what came from upstream. */
  learn(value: unknown): void
  /** Remembers one secret, which is hidden whole. */
  learnSecret(secret: string | undefined): void
  /** The text with every remembered value masked. */
  scrub(text: string): string
}

/** One for each call; `masksByField` comes from the tool's output schema. */
export function createRedactor(masksByField: ReadonlyMap<string, MaskRule>): Redactor {
  const masks = new Map<string, string>()

  function remember(secret: string, shown: string): void {
    if (secret.length >= SHORTEST_SECRET) masks.set(secret, shown)
  }

  function learn(value: unknown, rule?: MaskRule): void {
    if (Array.isArray(value)) {
      for (const item of value) learn(item, rule)
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, item] of Object.entries(value)) learn(item, masksByField.get(name))
    } else if (rule !== undefined && value !== null && value !== undefined) {
      remember(String(value), maskText(String(value), rule))
    }
  }

  return {
    learn: (value) => masksByField.size > 0 && learn(value),
    learnSecret: (secret) => secret !== undefined && remember(secret, '[hidden]'),
    scrub(text) {
      // Longest first, so that a value that contains another one is hidden whole.
      const known = [...masks].sort(([a], [b]) => b.length - a.length)
      return known.reduce((scrubbed, [secret, shown]) => scrubbed.replaceAll(secret, shown), text)
    },
  }
}
