/**
 * The line in a generated file that records its source operation, to detect changes of the
 * document.
 */

import { createHash } from 'node:crypto'
import type { OpenApiDocument } from './document.ts'
import type { Operation } from './operations.ts'
import { isObject, type JsonObject, lookUp, member } from './references.ts'

const PARTS = ['text', 'input', 'answer'] as const

/** A hash for each part that people review separately. */
export type Fingerprint = Readonly<Record<(typeof PARTS)[number], string>>

export interface Origin {
  /** Such as `GET /accounts/{id}`. */
  readonly operation: string
  readonly fingerprint: Fingerprint
}

/**
 * Hashes the document's definition rather than the generated code, so that options do not matter.
 */
export function fingerprintOf({ root }: OpenApiDocument, operation: Operation): Fingerprint {
  const { definition, parameters } = operation
  const { summary, description, requestBody, responses, security = root.security } = definition
  return {
    text: hash(root, [summary, description]),
    input: hash(root, [parameters, requestBody, security]),
    answer: hash(root, responses),
  }
}

/** Hashes a value and everything that it references, transitively. */
function hash(root: JsonObject, value: unknown): string {
  const known = new Map<string, unknown>([['', value]])
  // Iterating a `Map` also visits entries that are added meanwhile.
  for (const [, each] of known) {
    for (const reference of referencesIn(each)) {
      if (!known.has(reference)) known.set(reference, targetOf(root, reference))
    }
  }
  const texts = [...known].map(([reference, each]) => `${reference} ${canonical(each)}`).sort()
  return createHash('sha256').update(texts.join('\n')).digest('hex').slice(0, 12)
}

/** Iterative: documents may be deeply nested or cyclic. */
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

/** Canonical JSON: with sorted keys. */
function canonical(value: unknown): string {
  const inOrder = (_: string, each: unknown) =>
    isObject(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each
  try {
    return JSON.stringify(value, inOrder) ?? ''
  } catch {
    // Too deeply nested or cyclic: changes there go undetected.
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

/** The source operation of a generated file; undefined for other files. */
export function readOrigin(code: string): Origin | undefined {
  const [, operation, text, input, answer] = LINE.exec(code) ?? []
  if (operation === undefined || text === undefined || input === undefined) return undefined
  return { operation, fingerprint: { text, input, answer: answer ?? '' } }
}

/** The parts whose hashes differ. */
export function changedParts(before: Fingerprint, after: Fingerprint): string[] {
  return PARTS.filter((part) => before[part] !== after[part])
}
