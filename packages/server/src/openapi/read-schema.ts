/** Converts a JSON Schema of a document (3.0 or 3.1) to a node for code generation. */

import { type Gathered, gather, type Located, type SchemaSource } from './gather-schema.ts'
import { commentText, isUsableName, plainText } from './literals.ts'
import { entriesOf, isObject, listOf } from './references.ts'
import {
  anyNode,
  type Direction,
  type EnumValue,
  type Field,
  intersect,
  type ObjectNode,
  type SchemaNode,
  unite,
} from './schema-node.ts'

export interface ReadingOptions {
  readonly direction: Direction
  /** The maximum nesting of objects. */
  readonly depth: number
}

interface Place extends ReadingOptions {
  readonly source: SchemaSource
  /** The nesting of objects so far, and of any schema. */
  readonly objects: number
  readonly levels: number
}

const LONGEST_DESCRIPTION = 200
const DEEPEST_LEVELS = 40
const MOST_ENUM_VALUES = 200
const MOST_LEFT_OUT = 20

/**
 * Reads a schema.
 * @throws UnusableError for unresolvable references, and schemas that exceed the limits
 */
export function readSchema(root: unknown, schema: unknown, options: ReadingOptions): SchemaNode {
  const place = { ...options, source: { root, steps: 0 }, objects: 0, levels: 0 }
  return read(place, [{ schema, within: [] }])
}

function read(place: Place, located: readonly Located[]): SchemaNode {
  if (place.levels > DEEPEST_LEVELS) return anyNode('nested too deep')
  const gathered = gather(place.source, located)
  const node = nodeOf({ ...place, levels: place.levels + 1 }, gathered)
  const { keywords, isNullable } = gathered
  const description = describe(keywords)
  return {
    ...node,
    description: description || node.description,
    nullable: node.nullable || isNullable || keywords.nullable === true || allowsNull(keywords),
    example: exampleOf(keywords, node),
  }
}

function nodeOf(place: Place, gathered: Gathered): SchemaNode {
  const { keywords, alternatives } = gathered
  if (gathered.isCyclic) return anyNode('leads back to itself', true)
  const base = isBare(gathered) ? undefined : baseOf(place, gathered)
  const added = alternatives.map((group) =>
    unite(
      group.map((each) => read(place, [each])),
      place.direction,
    ),
  )
  const nodes = base === undefined ? added : [base, ...added]
  const [first, ...others] = nodes
  if (first === undefined) return anyNode('anything')
  // An object without fields, with alternatives: uses their fields.
  if (first.kind === 'any' && first.isObject && others[0] !== undefined) return others[0]
  if (first.kind !== 'object') return first
  const object = others.reduce<ObjectNode>(intersect, first)
  return { ...object, description: plainText(keywords.description, LONGEST_DESCRIPTION) }
}

function isBare({ keywords, properties }: Gathered): boolean {
  const names = ['type', 'enum', 'const', 'items', 'additionalProperties', 'format', 'pattern']
  return properties.size === 0 && !names.some((name) => Object.hasOwn(keywords, name))
}

function baseOf(place: Place, gathered: Gathered): SchemaNode {
  const { keywords } = gathered
  const values = enumOf(keywords)
  if (values !== undefined) return values
  const { type } = keywords
  const types = (Array.isArray(type) ? type : [type ?? inferType(gathered)]).filter(
    (each) => each !== 'null',
  )
  if (types.length === 0) return { kind: 'null', description: '', nullable: true }
  return unite(
    types.map((each) => ofType(place, gathered, each)),
    place.direction,
  )
}

function inferType({ keywords, properties }: Gathered): string {
  if (properties.size > 0 || Object.hasOwn(keywords, 'additionalProperties')) return 'object'
  return Object.hasOwn(keywords, 'items') ? 'array' : 'string'
}

const PLAIN = { description: '', nullable: false }

function ofType(place: Place, gathered: Gathered, type: unknown): SchemaNode {
  const { keywords } = gathered
  switch (type) {
    case 'string': {
      if (keywords.format === 'binary') return anyNode('bytes')
      return { ...PLAIN, kind: 'string', ...bounds(keywords, 'minLength', 'maxLength', 1000) }
    }
    case 'integer':
    case 'number':
      return { ...PLAIN, kind: 'number', ...numberBounds(keywords, type === 'integer') }
    case 'boolean':
      return { ...PLAIN, kind: 'boolean' }
    case 'array': {
      const items = read(place, [{ schema: keywords.items, within: withinOf(gathered, 'items') }])
      if (items.kind === 'any' && place.direction === 'output') return items
      return { ...PLAIN, kind: 'array', items, ...bounds(keywords, 'minItems', 'maxItems', 20) }
    }
    case 'object':
      return objectOf(place, gathered)
    default:
      return anyNode('a type that JSON Schema does not know')
  }
}

function objectOf(place: Place, gathered: Gathered): SchemaNode {
  const { keywords, properties } = gathered
  const { additionalProperties } = keywords
  if (place.objects >= place.depth) return anyNode(`deeper than ${place.depth} levels`, true)
  const inside = { ...place, objects: place.objects + 1 }
  if (properties.size === 0) {
    if (additionalProperties === false) return { ...PLAIN, kind: 'object', fields: [], leftOut: [] }
    if (!isObject(additionalProperties)) return anyNode('an object of any fields', true)
    const within = withinOf(gathered, 'additionalProperties')
    const values = read(inside, [{ schema: additionalProperties, within }])
    return values.kind === 'any' && place.direction === 'output'
      ? values
      : { ...PLAIN, kind: 'map', values }
  }
  const leftOut: string[] = []
  const fields: Field[] = []
  const hidden = place.direction === 'input' ? 'readOnly' : 'writeOnly'
  for (const [name, located] of properties) {
    if (located.some(({ schema }) => isObject(schema) && schema[hidden] === true)) continue
    const node = isUsableName(name) ? read(inside, located) : anyNode('a name that code cannot use')
    const isLeftOut = node.kind === 'any' && (place.direction === 'output' || !isUsableName(name))
    if (isLeftOut) leftOut.push(`${commentText(name, 60)}: ${node.why}`)
    else fields.push({ name, node, required: gathered.required.has(name) })
  }
  if (additionalProperties === true || entriesOf(additionalProperties).length > 0) {
    leftOut.push('further fields')
  }
  return { ...PLAIN, kind: 'object', fields, leftOut: bounded(leftOut) }
}

function bounded(lines: readonly string[]): readonly string[] {
  if (lines.length <= MOST_LEFT_OUT) return lines
  return [...lines.slice(0, MOST_LEFT_OUT), `${lines.length - MOST_LEFT_OUT} more`]
}

function withinOf(gathered: Gathered, keyword: string): readonly string[] {
  return gathered.origins.get(keyword) ?? []
}

function enumOf(keywords: Readonly<Record<string, unknown>>): SchemaNode | undefined {
  const hasConst = Object.hasOwn(keywords, 'const')
  const all = hasConst ? [keywords.const] : listOf(keywords.enum)
  const isPlain = (value: unknown): value is EnumValue =>
    typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
  const values = [...new Set(all.filter(isPlain))]
  const isComplete = all.every((value) => value === null || isPlain(value))
  if (values.length === 0 || values.length > MOST_ENUM_VALUES || !isComplete) return undefined
  return { ...PLAIN, kind: 'enum', values }
}

function allowsNull({ type, enum: values }: Readonly<Record<string, unknown>>): boolean {
  return listOf(type).includes('null') || listOf(values).includes(null)
}

function describe(keywords: Readonly<Record<string, unknown>>): string {
  const text = plainText(keywords.description ?? keywords.title, LONGEST_DESCRIPTION)
  const facts = ['format', 'pattern', 'default'].flatMap((name) => {
    const value = keywords[name]
    const isShort = ['string', 'number', 'boolean'].includes(typeof value)
    const fact = isShort ? plainText(String(value), 100) : ''
    return fact === '' ? [] : [`${name}: ${fact}`]
  })
  return facts.length === 0 ? text : `${text} (${facts.join(', ')})`.trim()
}

function bounds(
  keywords: Readonly<Record<string, unknown>>,
  lower: string,
  upper: string,
  most: number,
) {
  const count = (value: unknown) =>
    Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined
  const max = count(keywords[upper])
  const min = count(keywords[lower])
  const isUsable = min !== undefined && min > 0 && min <= most && min <= (max ?? min)
  return { min: isUsable ? min : undefined, max }
}

function numberBounds(keywords: Readonly<Record<string, unknown>>, isInteger: boolean) {
  const limit = (...names: string[]) => {
    const value = names.map((name) => keywords[name]).find(Number.isFinite) as number | undefined
    return value === undefined || (isInteger && !Number.isSafeInteger(value)) ? undefined : value
  }
  const min = limit('minimum', 'exclusiveMinimum')
  const max = limit('maximum', 'exclusiveMaximum')
  const isEmpty = min !== undefined && max !== undefined && min > max
  return isEmpty ? { isInteger, min: undefined, max: undefined } : { isInteger, min, max }
}

/** A short example that the node accepts. */
function exampleOf(keywords: Readonly<Record<string, unknown>>, node: SchemaNode) {
  const candidates = [keywords.example, ...listOf(keywords.examples), keywords.default]
  return candidates.find((value): value is string | number | boolean => {
    if (node.kind === 'boolean') return typeof value === 'boolean'
    if (node.kind === 'string') return isShortText(value) && isWithin(value.length, node)
    if (node.kind !== 'number' || typeof value !== 'number') return false
    return isWithin(value, node) && (!node.isInteger || Number.isSafeInteger(value))
  })
}

function isShortText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 60 && value.isWellFormed()
}

function isWithin(
  value: number,
  { min, max }: { min?: number | undefined; max?: number | undefined },
) {
  return Number.isFinite(value) && value >= (min ?? -Infinity) && value <= (max ?? Infinity)
}
