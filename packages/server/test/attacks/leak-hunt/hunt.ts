/** Searches text for secrets, in every encoding. */

import type { Secret } from './secrets.ts'

/** What was found, without repeating the secret itself in a test's output. */
export interface Hit {
  readonly kind: string
  readonly spelling: string
  readonly around: string
}

const CONTEXT = 60

export function hunt(secrets: readonly Secret[], heap: string): readonly Hit[] {
  return secrets.flatMap(({ kind, value }) =>
    spellings(value).flatMap(({ spelling, text }) => {
      const at = heap.indexOf(text)
      if (at < 0) return []
      const before = heap.slice(Math.max(0, at - CONTEXT), at)
      const after = heap.slice(at + text.length, at + text.length + CONTEXT)
      return [{ kind, spelling, around: `${before}[HERE]${after}` }]
    }),
  )
}

interface Spelling {
  readonly spelling: string
  readonly text: string
}

/** The secret and its encoded forms, without duplicates. */
export function spellings(value: string): readonly Spelling[] {
  const bytes = Buffer.from(value)
  const all: readonly (readonly [string, string])[] = [
    ['raw', value],
    ['hex', bytes.toString('hex')],
    ['upper-case hex', bytes.toString('hex').toUpperCase()],
    ['URL-encoded', encodeURIComponent(value)],
    ['form-encoded', new URLSearchParams({ '': value }).toString().slice(1)],
    ['JSON-escaped', JSON.stringify(value).slice(1, -1)],
    ['JSON-escaped twice', JSON.stringify(JSON.stringify(value)).slice(3, -3)],
    ...base64Spellings(bytes),
  ]
  const texts = all.map(([, text]) => text)
  return all
    .filter(([, text], index) => texts.indexOf(text) === index)
    .map(([spelling, text]) => ({ spelling, text }))
}

/**
 * The Base64 of a text that contains the secret differs by the secret's offset modulo three; the
 * characters at the ends, which depend on the surrounding text, are left out.
 */
function base64Spellings(bytes: Buffer): readonly (readonly [string, string])[] {
  return [0, 1, 2].flatMap((offset) => {
    const padded = Buffer.concat([Buffer.alloc(offset), bytes])
    const start = Math.ceil((offset * 8) / 6)
    const end = Math.floor((padded.length * 8) / 6)
    return (['base64', 'base64url'] as const).map(
      (encoding) => [encoding, padded.toString(encoding).slice(start, end)] as const,
    )
  })
}
