/**
 * Coerces arguments as models send them: JSON text for a declared object, list, number or boolean,
 * and `null` for an optional field. Rewrites only values that the listed schema rules out, so that
 * a string stays a string wherever one is allowed.
 */

import { MAX_JSON_DEPTH, structureFault } from '../json-structure.ts'
import type { JsonSchema } from '../output/listed-schema.ts'

type Arguments = Readonly<Record<string, unknown>>

/** Maximum number of values in one JSON text. */
const MOST_VALUES = 10_000
/** Maximum nesting of references and unions around one value. */
const DEEPEST = 20

/** The arguments coerced to the schema; undefined if unchanged. */
export function lenientArguments(given: Arguments, root: JsonSchema): Arguments | undefined {
  const rewritten = rewrite(given, [root], root)
  return rewritten === given ? undefined : (rewritten as Arguments)
}

/** `nodes` are all schemas that may describe the value. Returns the same value if unchanged. */
function rewrite(value: unknown, nodes: readonly JsonSchema[], root: JsonSchema): unknown {
  // Each schema once: in a recursive union, every level of the value would add to their number.
  const known = [...new Set(nodes)].flatMap((node) => alternatives(node, root))
  const read = typeof value === 'string' ? readText(value, typesOf(known)) : value
  if (Array.isArray(read)) {
    const items = read.map((item, index) => rewrite(item, itemsOf(known, index), root))
    return items.some((item, index) => item !== read[index]) ? items : read
  }
  if (typeof read !== 'object' || read === null) return read
  return rewriteFields(read as Arguments, known, root)
}

function rewriteFields(value: Arguments, known: readonly JsonSchema[], root: JsonSchema): unknown {
  const fitting = known.filter((node) => fits(value, node))
  const fields: [string, unknown][] = []
  let isChanged = false
  for (const [name, field] of Object.entries(value)) {
    const declared = fitting.flatMap((node) => fieldOf(node, name))
    if (field === null && declared.length > 0 && isOptional(name, declared, fitting, root)) {
      isChanged = true
      continue
    }
    const rewritten = declared.length === 0 ? field : rewrite(field, declared, root)
    isChanged ||= rewritten !== field
    fields.push([name, rewritten])
  }
  return isChanged ? Object.fromEntries(fields) : value
}

/** Parses JSON text, unless the schema allows a string. */
function readText(text: string, types: ReadonlySet<unknown>): unknown {
  if (types.has('string') || types.has(ANY)) return text
  if (structureFault(text, { depth: MAX_JSON_DEPTH, values: MOST_VALUES }) !== undefined)
    return text
  const value = parse(text)
  return [...typesOfValue(value, text)].some((type) => types.has(type)) ? value : text
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A number that a double cannot represent exactly stays text, to avoid loss of precision. */
function typesOfValue(value: unknown, text: string): readonly string[] {
  if (Array.isArray(value)) return ['array']
  if (typeof value === 'boolean') return ['boolean']
  if (typeof value === 'object' && value !== null) return ['object']
  if (typeof value !== 'number' || !Number.isFinite(value)) return []
  const isWhole = Number.isInteger(value)
  if (isWhole && !Number.isSafeInteger(value)) return []
  // A long decimal would lose digits.
  if (text.replace(/\D/g, '').length > MOST_DIGITS) return []
  return isWhole ? ['integer', 'number'] : ['number']
}

/** Digits that a double holds exactly (IEEE 754): 15, and one more for integers up to 2^53. */
const MOST_DIGITS = 16

/** Wildcard for any type. */
const ANY = '*'
/** The schema that allows any value. */
const ANYTHING: JsonSchema = {}

function typesOf(nodes: readonly JsonSchema[]): ReadonlySet<unknown> {
  const types = nodes.flatMap((node): unknown[] => {
    if (typeof node.type === 'string') return [node.type]
    if (Array.isArray(node.type)) return node.type
    const values = 'const' in node ? [node.const] : node.enum
    return Array.isArray(values) ? values.map(typeName) : [ANY]
  })
  // `number` includes `integer`.
  return new Set(types.includes('number') ? [...types, 'integer'] : types)
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

/** Resolves references and compositions; every member of a composition is one alternative. */
function alternatives(node: unknown, root: JsonSchema, depth = 0): readonly JsonSchema[] {
  // `true`, and anything not understood, allows any value.
  if (typeof node !== 'object' || node === null || depth > DEEPEST) return [{}]
  const { $ref, anyOf, oneOf, allOf, ...own } = node as JsonSchema
  const members = [anyOf, oneOf, allOf].flatMap((list) => (Array.isArray(list) ? list : []))
  if (typeof $ref === 'string') members.push(resolve($ref, root))
  if (members.length === 0) return [own]
  const isOfItsOwn = 'properties' in own || 'items' in own
  const inside = members.flatMap((member) => alternatives(member, root, depth + 1))
  return isOfItsOwn ? [own, ...inside] : inside
}

/** Resolves a JSON Pointer (RFC 6901). */
function resolve(reference: string, root: JsonSchema): unknown {
  if (!reference.startsWith('#')) return undefined
  const keys = decodeURIComponent(reference.slice(1)).split('/').slice(1)
  return keys.reduce<unknown>((node, key) => {
    const name = key.replaceAll('~1', '/').replaceAll('~0', '~')
    const isNode = typeof node === 'object' && node !== null && Object.hasOwn(node, name)
    return isNode ? (node as JsonSchema)[name] : undefined
  }, root)
}

/** Whether an object may match this member of a union, by its `const` fields (discriminators). */
function fits(value: Arguments, { properties }: JsonSchema): boolean {
  return Object.entries((properties ?? {}) as Readonly<Record<string, JsonSchema>>).every(
    ([name, field]) => !('const' in field) || value[name] === field.const,
  )
}

function fieldOf(node: JsonSchema, name: string): readonly JsonSchema[] {
  const { properties = {}, additionalProperties } = node as {
    readonly properties?: Readonly<Record<string, JsonSchema>>
    readonly additionalProperties?: unknown
  }
  const field = Object.hasOwn(properties, name) ? properties[name] : undefined
  if (field !== undefined) return [field]
  const isSchema = typeof additionalProperties === 'object' && additionalProperties !== null
  return isSchema ? [additionalProperties as JsonSchema] : []
}

/** Whether a field may be omitted but not null. */
function isOptional(
  name: string,
  declared: readonly JsonSchema[],
  nodes: readonly JsonSchema[],
  root: JsonSchema,
): boolean {
  const isRequired = nodes.some(
    ({ required }) => Array.isArray(required) && required.includes(name),
  )
  const types = typesOf(declared.flatMap((node) => alternatives(node, root)))
  return !isRequired && !types.has('null') && !types.has(ANY)
}

function itemsOf(nodes: readonly JsonSchema[], index: number): readonly JsonSchema[] {
  return nodes.flatMap(({ prefixItems, items }) => {
    const item =
      Array.isArray(prefixItems) && index < prefixItems.length ? prefixItems[index] : items
    return typeof item === 'object' && item !== null ? [item as JsonSchema] : [ANYTHING]
  })
}
