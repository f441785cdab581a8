/** Generates zod schemas from nodes. */

import { commentText, isUsableName, literal, objectLiteral, propertyKey } from './literals.ts'
import { suggestMask } from './masks.ts'
import type { Direction, EnumNode, Field, ObjectNode, SchemaNode } from './schema-node.ts'

const LONGEST_TEXT = 10_000
const MOST_ITEMS = 100

/** The schema without the parts that a field adds: optional, description. */
export function schemaCode(node: SchemaNode, direction: Direction, mask?: string): string {
  const base = baseCode(node, direction, mask)
  return node.nullable && node.kind !== 'null' ? `${base}.nullable()` : base
}

function baseCode(node: SchemaNode, direction: Direction, mask: string | undefined): string {
  const isInput = direction === 'input'
  switch (node.kind) {
    case 'string': {
      const bounds = isInput
        ? range(node.min, Math.min(node.max ?? LONGEST_TEXT, LONGEST_TEXT))
        : ''
      return withMask(`z.string()${bounds}`, mask)
    }
    case 'number': {
      if (!isInput) return 'z.number()'
      const fallback = node.fallback === undefined ? '' : `.default(${node.fallback})`
      return `z.number()${node.isInteger ? '.int()' : ''}${range(node.min, node.max)}${fallback}`
    }
    case 'boolean':
      return 'z.boolean()'
    case 'null':
      return 'z.null()'
    case 'enum':
      return enumCode(node)
    case 'array': {
      const items = schemaCode(node.items, direction, mask)
      return `z.array(${items})${isInput ? range(node.min, node.max ?? MOST_ITEMS) : ''}`
    }
    case 'object':
      return objectCode(node, direction)
    case 'map':
      return `z.record(z.string(), ${schemaCode(node.values, direction, mask)})`
    case 'union': {
      const members = node.members.map((member) => schemaCode(member, direction, mask))
      return `z.union([${members.join(', ')}])`
    }
    case 'any':
      return node.isObject ? 'z.record(z.string(), z.unknown())' : 'z.unknown()'
  }
}

function withMask(code: string, mask: string | undefined): string {
  if (mask === undefined) return code
  return mask === '' ? `masked(${code})` : `masked(${code}, ${mask})`
}

function range(min: number | undefined, max: number | undefined): string {
  return `${min === undefined ? '' : `.min(${min})`}${max === undefined ? '' : `.max(${max})`}`
}

/** Avoids `z.enum` for values that it would look up in a prototype. */
function enumCode({ values }: EnumNode): string {
  const isPlain = values.every((value) => typeof value === 'string' && isUsableName(value))
  const list = `[${values.map(literal).join(', ')}]`
  return isPlain ? `z.enum(${list})` : `z.literal(${list})`
}

export function objectCode({ fields, leftOut }: ObjectNode, direction: Direction): string {
  const entries = fields.map((field) => fieldCode(field, direction))
  const comments = leftOut.map((line) => `// left out: ${commentText(line)}`)
  return `z.object(${objectLiteral([...entries, ...comments])})`
}

function fieldCode({ name, node, required }: Field, direction: Direction): string {
  const mask = suggestMask(name, maskable(node))
  const isOptional = !required && !(node.kind === 'number' && node.fallback !== undefined)
  const description = direction === 'input' ? node.description : ''
  const code = [
    schemaCode(node, direction, mask),
    isOptional ? '.optional()' : '',
    description === '' ? '' : `.describe(${literal(description)})`,
  ].join('')
  return `${propertyKey(name)}: ${code},${mask === undefined ? '' : ' // mask?'}`
}

/** The innermost text of a list or a map. */
function maskable(node: SchemaNode): SchemaNode {
  if (node.kind === 'array') return maskable(node.items)
  if (node.kind === 'map') return maskable(node.values)
  if (node.kind === 'union') return node.members.find(({ kind }) => kind === 'string') ?? node
  return node
}

/** Whether a schema has a mask at any depth. */
export function hasMasks(field: Field): boolean {
  if (suggestMask(field.name, maskable(field.node)) !== undefined) return true
  return fieldsBelow(field.node).some(hasMasks)
}

function fieldsBelow(node: SchemaNode): readonly Field[] {
  if (node.kind === 'object') return node.fields
  if (node.kind === 'array') return fieldsBelow(node.items)
  if (node.kind === 'map') return fieldsBelow(node.values)
  return node.kind === 'union' ? node.members.flatMap(fieldsBelow) : []
}
