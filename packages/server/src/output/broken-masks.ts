/** Rejects unreliable masks at start: those whose effect would depend on the value. */

import type { z } from 'zod'
import { maskRuleOf } from './mask.ts'
import { partsOf } from './schema-parts.ts'

type Schema = z.core.$ZodTypes

/**
 * Checks a tool's input or output.
 * @throws TypeError that names the tool and the field, for a union of ambiguous masked and unmasked
 *   texts, and for a mask on a record key or in a template literal
 */
export function refuseBrokenMasks(
  name: string,
  side: 'input' | 'output' | 'arguments',
  root: z.core.$ZodType,
  kind: 'tool' | 'resource' | 'prompt' = 'tool',
): void {
  const visited = new Set<z.core.$ZodType>()

  function visit(schema: z.core.$ZodType, path: string): void {
    if (visited.has(schema)) return
    visited.add(schema)
    const fault = faultOf(schema as Schema)
    if (fault !== undefined)
      throw new TypeError(`${kind} "${name}", ${side} field ${path || '(root)'}: ${fault}`)
    for (const { schema: part, property } of partsOf(schema)) {
      visit(
        part,
        property === undefined ? path || '(any)' : `${path}.${property}`.replace(/^\./, ''),
      )
    }
  }

  visit(root, '')
}

function faultOf(schema: Schema): string | undefined {
  const { def } = schema._zod
  if ((def.type === 'record' || def.type === 'map') && hasMask(def.keyType)) {
    return 'a masked text cannot be the key of a record: keys leave as they are'
  }
  if (def.type === 'template_literal' && partsOf(schema).some((part) => hasMask(part.schema))) {
    return 'a mask does not hold inside a template literal'
  }
  if (def.type !== 'union') return undefined
  const members = def.options
  const clashes = members.some((one) => members.some((other) => one !== other && clash(one, other)))
  return clashes
    ? 'a union of a masked text and an unmasked one does not mask reliably: mask all of them'
    : undefined
}

/** Whether the schema, without its wrappers, is a masked text. */
function hasMask(schema: z.core.$ZodType): boolean {
  return leavesOf(schema).some(({ masked }) => masked)
}

interface Leaf {
  readonly schema: Schema
  readonly masked: boolean
}

/** The leaf schemas inside wrappers such as optional, lazy and unions. */
function leavesOf(root: z.core.$ZodType, visited = new Set<z.core.$ZodType>()): readonly Leaf[] {
  if (visited.has(root)) return []
  visited.add(root)
  const schema = root as Schema
  const { type } = schema._zod.def
  if (maskRuleOf(schema) !== undefined) return [{ schema, masked: true }]
  if (!WRAPPERS.has(type)) return [{ schema, masked: false }]
  const leaves = partsOf(schema).flatMap((part) => leavesOf(part.schema, visited))
  // Both sides process the value: a mask on one side suffices.
  const isMasked = BOTH.has(type) && leaves.some(({ masked }) => masked)
  return isMasked ? leaves.filter((leaf) => leaf.masked || !isText(leaf.schema)) : leaves
}

const BOTH = new Set(['pipe', 'intersection'])

const WRAPPERS = new Set([
  ...['optional', 'nullable', 'nonoptional', 'readonly', 'default', 'prefault', 'catch'],
  ...['lazy', 'union', 'promise'],
  ...BOTH,
])

/** Whether a value could match either member, masked by one and unmasked by the other. */
function clash(masked: z.core.$ZodType, plain: z.core.$ZodType, depth = 0): boolean {
  if (depth > DEEPEST) return false
  return leavesOf(masked).some((one) =>
    leavesOf(plain).some((other) => leafClash(one, other, depth)),
  )
}

/** Recursion limit for unions of recursive schemas. */
const DEEPEST = 5

function leafClash(one: Leaf, other: Leaf, depth: number): boolean {
  if (one.masked) return !other.masked && isText(other.schema)
  const fields = fieldsOf(one.schema)
  const others = fieldsOf(other.schema)
  if (fields === undefined || others === undefined) return false
  if (isList(one.schema) !== isList(other.schema) || areDistinct(fields, others)) return false
  return Object.entries(fields).some(([name, field]) => {
    const counterparts = name === ANY ? Object.values(others) : [others[name], others[ANY]]
    return counterparts.some((part) => part !== undefined && clash(field, part, depth + 1))
  })
}

/** Wildcard for any name or index. */
const ANY = '*'

type Fields = Readonly<Record<string, z.core.$ZodType>>

/** Schemas of a container's fields by name, or by index in a list; undefined for other schemas. */
function fieldsOf({ _zod: { def } }: Schema): Fields | undefined {
  if (def.type === 'object') return { ...def.shape, ...(def.catchall && { [ANY]: def.catchall }) }
  if (def.type === 'record') return { [ANY]: def.valueType }
  if (def.type === 'array') return { [ANY]: def.element }
  if (def.type !== 'tuple') return undefined
  return { ...Object.fromEntries(def.items.entries()), ...(def.rest && { [ANY]: def.rest }) }
}

function isList({ _zod: { def } }: Schema): boolean {
  return def.type === 'array' || def.type === 'tuple'
}

/** Whether a common field has disjoint values, such as the discriminator `kind`. */
function areDistinct(one: Fields, other: Fields): boolean {
  return Object.entries(one).some(([name, field]) => {
    const values = valuesOf(field)
    const others = other[name] && valuesOf(other[name])
    return (
      values !== undefined &&
      others !== undefined &&
      ![...values].some((value) => others.has(value))
    )
  })
}

/** The finite set of values that a schema accepts, if any. */
function valuesOf(schema: z.core.$ZodType): ReadonlySet<unknown> | undefined {
  const { values } = schema._zod
  return values !== undefined && values.size > 0 ? values : undefined
}

/** Whether a schema accepts arbitrary text; literals and enums are public in the schema. */
function isText({ _zod: { def } }: Schema): boolean {
  return ['string', 'template_literal', 'any', 'unknown', 'custom', 'transform'].includes(def.type)
}
