/** The line in a generated file that says what it was made from, so that changes can be found. */

import { createHash } from 'node:crypto'

const PARTS = ['text', 'input', 'answer'] as const

/** A hash for each part that people would look at separately. */
export type Fingerprint = Readonly<Record<(typeof PARTS)[number], string>>

export interface Origin {
  /** Such as `GET /accounts/{id}`. */
  readonly operation: string
  readonly fingerprint: Fingerprint
}

export function fingerprintOf(parts: Readonly<Record<keyof Fingerprint, unknown>>): Fingerprint {
  const { text, input, answer } = parts
  return { text: hash(text), input: hash(input), answer: hash(answer) }
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12)
}

/** The operation's path has no white space. */
export function originLine({ operation, fingerprint }: Origin): string {
  const hashes = PARTS.map((part) => `${part}=${fingerprint[part]}`)
  return `// From OpenAPI: ${operation} ${hashes.join(' ')}`
}

const LINE =
  /^\/\/ From OpenAPI: ([A-Z]+ \S+) text=([0-9a-f]+) input=([0-9a-f]+) answer=([0-9a-f]+)$/m

/** What a file was made from; undefined for one that was not generated. */
export function readOrigin(code: string): Origin | undefined {
  const [, operation, text, input, answer] = LINE.exec(code) ?? []
  if (operation === undefined || text === undefined || input === undefined) return undefined
  return { operation, fingerprint: { text, input, answer: answer ?? '' } }
}

/** The parts that differ. */
export function changedParts(before: Fingerprint, after: Fingerprint): string[] {
  return PARTS.filter((part) => before[part] !== after[part])
}
