/**
 * The intermediate representation of a schema for code generation: small, finite, without
 * references.
 */

interface Facts {
  readonly description: string
  readonly nullable: boolean
  /** An example for the test, if the document has a valid one. */
  readonly example?: string | number | boolean | undefined
}

export type EnumValue = string | number | boolean

export interface StringNode extends Facts {
  readonly kind: 'string'
  readonly min: number | undefined
  readonly max: number | undefined
}

export interface NumberNode extends Facts {
  readonly kind: 'number'
  readonly isInteger: boolean
  readonly min: number | undefined
  readonly max: number | undefined
  /** The default for a missing value. */
  readonly fallback?: number
}

export interface EnumNode extends Facts {
  readonly kind: 'enum'
  readonly values: readonly EnumValue[]
}

export interface ArrayNode extends Facts {
  readonly kind: 'array'
  readonly items: SchemaNode
  readonly min: number | undefined
  readonly max: number | undefined
}

export interface Field {
  readonly name: string
  readonly node: SchemaNode
  readonly required: boolean
}

export interface ObjectNode extends Facts {
  readonly kind: 'object'
  readonly fields: readonly Field[]
  /** Parts of the document that the code omits, with the reason. */
  readonly leftOut: readonly string[]
}

export interface MapNode extends Facts {
  readonly kind: 'map'
  readonly values: SchemaNode
}

/** Members of different kinds, at most one of each: alternatives of one kind are merged. */
export interface UnionNode extends Facts {
  readonly kind: 'union'
  readonly members: readonly SchemaNode[]
}

/** Unconstrained or truncated. Inputs accept any value; outputs omit the field. */
export interface AnyNode extends Facts {
  readonly kind: 'any'
  readonly why: string
  readonly isObject: boolean
}

export interface PlainNode extends Facts {
  readonly kind: 'boolean' | 'null'
}

export type SchemaNode =
  | StringNode
  | NumberNode
  | EnumNode
  | ArrayNode
  | ObjectNode
  | MapNode
  | UnionNode
  | AnyNode
  | PlainNode

export type Direction = 'input' | 'output'

const NOTHING: Facts = { description: '', nullable: false }

export function anyNode(why: string, isObject = false): AnyNode {
  return { ...NOTHING, kind: 'any', why, isObject }
}

/** Merges nodes into one that accepts what any of them accepts. Objects merge all their fields. */
export function unite(nodes: readonly SchemaNode[], direction: Direction): SchemaNode {
  const all = nodes.flatMap((node) => (node.kind === 'union' ? node.members : [node]))
  const [first] = nodes
  if (first === undefined) return anyNode('no alternatives')
  if (nodes.length === 1) return first
  const facts = { ...NOTHING, nullable: nodes.some(({ nullable }) => nullable || false) }
  const free = all.find(({ kind }) => kind === 'any')
  if (free !== undefined && direction === 'input') return { ...free, ...facts }
  const united = [...new Set(all.map(({ kind }) => kind))].map((kind) =>
    uniteKind(all.filter((node) => node.kind === kind) as SchemaNode[], direction),
  )
  return settle(united, facts, direction)
}

/** Removes members that another one covers. */
function settle(united: readonly SchemaNode[], facts: Facts, direction: Direction): SchemaNode {
  const has = (kind: SchemaNode['kind']) => united.some((node) => node.kind === kind)
  const isNullable = facts.nullable || has('null')
  const members = united.filter((node) => {
    if (node.kind === 'null' || node.kind === 'any') return false
    if (node.kind === 'map') return !has('object')
    return node.kind !== 'enum' || !node.values.every((value) => has(typeof value as 'string'))
  })
  const [only] = members
  if (only === undefined) return united[0] ?? anyNode('no alternatives')
  if (has('map') && has('object') && direction === 'input')
    return { ...anyNode('an object of any fields', true), nullable: isNullable }
  if (members.length === 1) return { ...only, nullable: only.nullable || isNullable }
  return { ...facts, kind: 'union', members, nullable: isNullable }
}

function uniteKind(nodes: readonly SchemaNode[], direction: Direction): SchemaNode {
  return nodes.reduce((one, other) => unitePair(one, other, direction))
}

function unitePair(one: SchemaNode, other: SchemaNode, direction: Direction): SchemaNode {
  const facts = {
    description: one.description || other.description,
    nullable: one.nullable || other.nullable,
  }
  if (one.kind === 'string' && other.kind === 'string') {
    return { ...one, ...facts, ...widest(one, other) }
  }
  if (one.kind === 'number' && other.kind === 'number') {
    const isInteger = one.isInteger && other.isInteger
    return { ...one, ...facts, ...widest(one, other), isInteger }
  }
  if (one.kind === 'enum' && other.kind === 'enum') {
    return { ...one, ...facts, values: [...new Set([...one.values, ...other.values])] }
  }
  if (one.kind === 'array' && other.kind === 'array') {
    const items = unite([one.items, other.items], direction)
    return { ...one, ...facts, ...widest(one, other), items }
  }
  if (one.kind === 'map' && other.kind === 'map') {
    return { ...one, ...facts, values: unite([one.values, other.values], direction) }
  }
  if (one.kind !== 'object' || other.kind !== 'object') return { ...one, ...facts }
  return { ...one, ...facts, ...uniteFields(one, other, direction) }
}

/** Merges fields; a field of only one object becomes optional. */
function uniteFields(one: ObjectNode, other: ObjectNode, direction: Direction) {
  const others = new Map(other.fields.map((field) => [field.name, field]))
  const names = new Set(one.fields.map(({ name }) => name))
  const fields = one.fields.map((field) => {
    const match = others.get(field.name)
    if (match === undefined) return { ...field, required: false }
    const node = unite([field.node, match.node], direction)
    return { ...field, node, required: field.required && match.required }
  })
  const added = other.fields.filter(({ name }) => !names.has(name))
  return {
    fields: [...fields, ...added.map((field) => ({ ...field, required: false }))],
    leftOut: [...new Set([...one.leftOut, ...other.leftOut])],
  }
}

/** Combines the fields of an object with those that its alternatives add. */
export function intersect(base: ObjectNode, other: SchemaNode): ObjectNode {
  if (other.kind !== 'object') return { ...base, leftOut: [...base.leftOut, 'alternatives'] }
  const required = new Set(other.fields.filter((field) => field.required).map(({ name }) => name))
  const names = new Set(base.fields.map(({ name }) => name))
  const fields = base.fields.map((field) => ({
    ...field,
    required: field.required || required.has(field.name),
  }))
  return {
    ...base,
    fields: [...fields, ...other.fields.filter(({ name }) => !names.has(name))],
    leftOut: [...new Set([...base.leftOut, ...other.leftOut])],
  }
}

interface Bounds {
  readonly min: number | undefined
  readonly max: number | undefined
}

function widest(one: Bounds, other: Bounds): Bounds {
  const both = (pick: (...numbers: number[]) => number, a?: number, b?: number) =>
    a === undefined || b === undefined ? undefined : pick(a, b)
  return { min: both(Math.min, one.min, other.min), max: both(Math.max, one.max, other.max) }
}
