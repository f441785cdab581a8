/**
 * Values for generated tests: as small as the schemas permit, with a distinct text for each mask.
 */

import { suggestMask } from './masks.ts'
import { hasMasks } from './schema-code.ts'
import type { Field, ObjectNode, SchemaNode } from './schema-node.ts'

export interface Sample {
  readonly value: unknown
  /** Values of masked fields, which must not appear unmasked. */
  readonly secrets: readonly string[]
}

/** A mask may show this many characters; a secret is longer. */
const SECRET = 'private-value'

/**
 * In responses, objects up to this depth have all fields; deeper ones only required or masked ones.
 */
const FULL_LEVELS = 2

/** Arguments have the required fields, responses optional ones too. */
export function sampleOf(object: ObjectNode, { isAnswer }: { isAnswer: boolean }): Sample {
  const secrets: string[] = []

  function ofFields(fields: readonly Field[], level: number): Record<string, unknown> {
    const isShown = (field: Field) => isAnswer && (level <= FULL_LEVELS || hasMasks(field))
    const chosen = fields.filter((field) => field.required || isShown(field))
    return Object.fromEntries(chosen.map(({ name, node }) => [name, of(node, name, level)]))
  }

  function of(node: SchemaNode, name: string, level: number): unknown {
    switch (node.kind) {
      case 'string': {
        if (suggestMask(name, node) === undefined) return text(node, node.example)
        const secret = text(node, `${SECRET}-${secrets.length + 1}`)
        if (secret.length >= 8) secrets.push(secret)
        return secret
      }
      case 'number':
        return number(node)
      case 'boolean':
        return node.example ?? true
      case 'enum':
        return node.values[0] ?? null
      case 'array': {
        const count = Math.max(node.min ?? 0, isAnswer ? 1 : 0, node.max === 0 ? 0 : 1)
        return Array.from({ length: count }, () => of(node.items, name, level))
      }
      case 'object':
        return ofFields(node.fields, level + 1)
      case 'map':
        return { key: of(node.values, name, level) }
      case 'union': {
        const masked = node.members.find((member) => suggestMask(name, member) !== undefined)
        const chosen = masked ?? node.members[0]
        return chosen === undefined ? null : of(chosen, name, level)
      }
      case 'any':
        return node.isObject ? {} : 'text'
      case 'null':
        return null
    }
  }

  return { value: ofFields(object.fields, 1), secrets }
}

function text(
  { min = 0, max }: { min?: number | undefined; max?: number | undefined },
  example: unknown,
) {
  const start = typeof example === 'string' ? example : 'text'
  return start.padEnd(min, 'x').slice(0, max ?? 10_000)
}

function number(node: SchemaNode & { kind: 'number' }): number {
  if (typeof node.example === 'number') return node.example
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER, isInteger } = node
  const start = Math.min(Math.max(1, min), max)
  return isInteger ? Math.ceil(start) : start
}
