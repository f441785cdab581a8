/** The line in a generated file that says what it was made from, so that changes can be found. */

import { createHash } from 'node:crypto'
import type { OpenApiDocument } from './document.ts'
import type { Operation } from './operations.ts'
import { isObject, type JsonObject, lookUp, member } from './references.ts'

const PARTS = ['text', 'input', 'answer'] as const

/** A hash for each part that people would look at separately. */
export type Fingerprint = Readonly<Record<(typeof PARTS)[number], string>>

export interface Origin {
  /** Such as `GET /accounts/{id}`. */
  readonly operation: string
  readonly fingerprint: Fingerprint
}

/** Of what the document says, whatever becomes of it in code, so that other options hash the same. */
export function fingerprintOf({ root }: OpenApiDocument, operation: Operation): Fingerprint {
  const { definition, parameters } = operation
  const { summary, description, requestBody, responses, security = root.security } = definition
  return {
    text: hash(root, [summary, description]),
    input: hash(root, [parameters, requestBody, security]),
    answer: hash(root, responses),
  }
}

/** Of a value and all that it refers to. */
function hash(root: JsonObject, value: unknown): string {
  const known = new Map<string, unknown>([['', value]])
  // A map has its later entries in the same turn.
  for (const [, each] of known) {
    for (const reference of referencesIn(each)) {
      if (!known.has(reference)) known.set(reference, targetOf(root, reference))
    }
  }
  const texts = [...known].map(([reference, each]) => `${reference} ${canonical(each)}`).sort()
  return createHash('sha256').update(texts.join('\n')).digest('hex').slice(0, 12)
}

/** Without recursion: documents may be nested deep, or hold themselves. */
function referencesIn(value: unknown): string[] {
  const references: string[] = []
  const visited = new Set<unknown>()
  const open = [value]
  for (let next = open.pop(); open.length > 0 || next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null || visited.has(next)) continue
    visited.add(next)
    const reference = member(next, '$ref')
    if (typeof reference === 'string') references.push(reference)
    for (const each of Object.values(next)) open.push(each)
  }
  return references
}

function targetOf(root: JsonObject, reference: string): unknown {
  try {
    return lookUp(root, reference)
  } catch {
    return undefined
  }
}

/** JSON with names in order. */
function canonical(value: unknown): string {
  const inOrder = (_: string, each: unknown) =>
    isObject(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each
  try {
    return JSON.stringify(value, inOrder) ?? ''
  } catch {
    // Nested too deep, or in a circle: such a change is not seen.
    return ''
  }
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
