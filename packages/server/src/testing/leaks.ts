/** Searches the visible output of a tool call for secrets, in every common encoding. */

import { AssertionError } from 'node:assert'
import type { ToolRun } from './tool-runner.ts'

/**
 * Fails if a secret appears in the call's result, log lines, progress or any other message to the
 * client: plain, or as base64, base64url, hex, URL-encoded or JSON-escaped text. Refuses secrets
 * below six characters, which would match by chance.
 */
export function expectNoLeak(
  { structuredContent, content, meta, text, code, log, progress, told }: Partial<ToolRun>,
  secrets: readonly string[],
): void {
  const places = { structuredContent, content, meta, text, code, log, progress, told }
  for (const secret of secrets) {
    if (secret.length < 6) throw new RangeError(`"${secret}" is too short to look for`)
    for (const [place, value] of Object.entries(places)) {
      const said = JSON.stringify(value) ?? ''
      const found = formsOf(secret).find((form) => [said, ...stringsIn(value)].some(contains(form)))
      if (found === undefined) continue
      throw new AssertionError({ message: `"${secret}" leaks through ${place}` })
    }
  }
}

/** Every encoding of a secret that may occur in a text. */
export function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  const escaped = JSON.stringify(secret).slice(1, -1)
  return [
    secret,
    escaped,
    JSON.stringify(escaped).slice(1, -1),
    encodeURIComponent(secret),
    new URLSearchParams({ '': secret }).toString().slice(1),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...[0, 1, 2].flatMap((shift) => base64Inside(bytes, shift)),
  ]
}

/** The part of a secret that base64 of a longer text shows if `shift` bytes precede it. */
function base64Inside(bytes: Buffer, shift: number): string[] {
  const shifted = Buffer.concat([Buffer.alloc(shift), bytes])
  const first = Math.ceil((shift * 8) / 6)
  const end = Math.floor((shifted.length * 8) / 6)
  return (['base64', 'base64url'] as const).map((form) => shifted.toString(form).slice(first, end))
}

function contains(form: string): (text: string) => boolean {
  return (text) => text.includes(form)
}

/** All texts, numbers and property names in a value. */
function stringsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [String(value)]
  return Object.entries(value).flatMap(([name, item]) => [name, ...stringsIn(item)])
}
