/** Keeps masked values out of everything else a call says: errors, logs, progress, questions. */

import { type MaskRule, maskText } from './mask.ts'

/** Shorter values would turn up in ordinary words. */
const SHORTEST_SECRET = 4

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

/** One for each call; `masksByField` comes from the tool's schemas. */
export function createRedactor(masksByField: ReadonlyMap<string, MaskRule>): Redactor {
  if (masksByField.size === 0) return NOTHING_MASKED
  const masks = new Map<string, string>()
  /** Longest first, so that a value that contains another one is hidden whole; undefined if stale. */
  let sorted: readonly (readonly [secret: string, shown: string])[] | undefined = []

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
    learn,
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

/** Most values are the same in a URL, in a form and in JSON. */
const PLAIN = /^[\w.~-]+$/

/** The value as it stands in texts, in URLs (RFC 3986, 2.1), in forms and in JSON. */
function spellingsOf(secret: string): readonly string[] {
  if (PLAIN.test(secret)) return [secret]
  const wellFormed = secret.toWellFormed()
  const inForms = new URLSearchParams([['', wellFormed]]).toString().slice(1)
  const inJson = JSON.stringify(secret).slice(1, -1)
  return [
    secret,
    wellFormed,
    encodeURI(wellFormed),
    encodeURIComponent(wellFormed),
    inForms,
    inJson,
  ]
}
