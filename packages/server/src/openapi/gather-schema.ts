/**
 * Merges a schema with everything that `allOf` and references add to it into one set of keywords.
 */

import {
  entriesOf,
  isObject,
  type JsonObject,
  listOf,
  lookUp,
  UnusableError,
} from './references.ts'

/** A schema, and the references that led to it. */
export interface Located {
  readonly schema: unknown
  readonly within: readonly string[]
}

export interface Gathered {
  /** All other keywords; those of the outermost schema win. */
  readonly keywords: Record<string, unknown>
  /** The references that led to each keyword. */
  readonly origins: Map<string, readonly string[]>
  /** All schemas of a property. */
  readonly properties: Map<string, Located[]>
  readonly required: Set<string>
  /** The members of each `oneOf` and `anyOf`. */
  readonly alternatives: Located[][]
  /** Whether the schema references itself. */
  isCyclic: boolean
  isNullable: boolean
}

/** A limit for one operation, counting schemas, names and values; real ones need a tenth. */
const MOST_STEPS = 100_000
const DEEPEST_COMPOSITION = 100

export interface SchemaSource {
  readonly root: unknown
  /** The number of steps so far. */
  steps: number
}

/**
 * Merges several schemas, such as the members of an `allOf`.
 * @throws UnusableError
 */
export function gather(source: SchemaSource, located: readonly Located[]): Gathered {
  const gathered: Gathered = {
    keywords: {},
    origins: new Map(),
    properties: new Map(),
    required: new Set(),
    alternatives: [],
    isCyclic: false,
    isNullable: false,
  }
  for (const each of located) add(source, each, gathered, 0)
  return gathered
}

function add(source: SchemaSource, from: Located, into: Gathered, depth: number): void {
  const { schema, within } = from
  if (!isObject(schema)) return
  const { $ref, allOf, oneOf, anyOf, properties, required, ...keywords } = schema
  source.steps += 1 + listOf(required).length + listOf(keywords.enum).length
  if (source.steps > MOST_STEPS || depth > DEEPEST_COMPOSITION) {
    throw new UnusableError('its schemas are too large, or nested too deep')
  }
  for (const [name, value] of Object.entries(keywords)) {
    if (Object.hasOwn(into.keywords, name)) continue
    define(into.keywords, name, value)
    into.origins.set(name, within)
  }
  for (const [name, value] of entriesOf(properties)) {
    const known = into.properties.get(name) ?? []
    into.properties.set(name, [...known, { schema: value, within }])
  }
  for (const name of listOf(required)) if (typeof name === 'string') into.required.add(name)
  if (typeof $ref === 'string') {
    if (within.includes($ref)) into.isCyclic = true
    else add(source, refer(source, $ref, within), into, depth + 1)
  }
  for (const each of listOf(allOf)) add(source, { schema: each, within }, into, depth + 1)
  for (const group of [oneOf, anyOf]) addAlternatives(source, listOf(group), within, into, depth)
}

function addAlternatives(
  source: SchemaSource,
  group: readonly unknown[],
  within: readonly string[],
  into: Gathered,
  depth: number,
): void {
  const isNull = (each: unknown) => isObject(each) && each.type === 'null'
  if (group.some(isNull)) into.isNullable = true
  const members = group.filter((each) => !isNull(each) && saysWhat(each))
  const located = members.map((schema) => ({ schema, within }))
  const [only] = located
  if (located.length === 1 && only !== undefined) add(source, only, into, depth + 1)
  if (located.length > 1) into.alternatives.push(located)
}

/**
 * Whether a member describes a value, rather than only which fields are required together, as in
 * `anyOf: [{ required: ['a'] }, …]`.
 */
function saysWhat(schema: unknown): boolean {
  return isObject(schema) && Object.keys(schema).some((name) => DESCRIBING.has(name))
}

const DESCRIBING = new Set([
  ...['$ref', 'type', 'properties', 'items', 'enum', 'const', 'allOf', 'oneOf', 'anyOf'],
  ...['additionalProperties', 'format', 'pattern'],
])

function refer(source: SchemaSource, reference: string, within: readonly string[]): Located {
  return { schema: lookUp(source.root, reference), within: [...within, reference] }
}

/** Defines the property instead of assigning it: assigning `__proto__` would set the prototype. */
function define(target: JsonObject, name: string, value: unknown): void {
  Object.defineProperty(target, name, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  })
}
