/** Compiles a tool's output schema: closed, with its masks by field name. */

import type { z } from 'zod'
import { type JsonSchema, listSide } from './listed-schema.ts'
import { type MaskRule, maskRuleOf } from './mask.ts'
import { findMaskedFields } from './masked-fields.ts'
import { nestsFreely } from './schema-parts.ts'

export interface OutputSchema {
  /** For `tools/list`; omits the pattern of masked texts, which they no longer match. */
  readonly jsonSchema: JsonSchema
  /** Whether every result is an object; clients of the 2025 era get others as `{ result: … }`. */
  readonly isObject: boolean
  /** Masks by property name, to redact values that appear outside the output. */
  readonly masksByField: ReadonlyMap<string, MaskRule>
  /**
   * Validates, strips undeclared fields and masks, in one parse.
   * @throws z.ZodError if the tool's result does not match
   */
  readonly parse: (answer: unknown) => unknown
}

const OPEN_TYPES = new Set(['any', 'unknown', 'custom', 'transform'])

/**
 * Compiles an output schema.
 * @throws TypeError for a field that JSON Schema cannot express, and if the schema is open
 *   (`z.any()`, `z.unknown()`, `looseObject`, …), because undeclared fields must not leave the server;
 *   and if it accepts undefined, which JSON cannot express
 */
export function compileOutputSchema(schema: z.ZodType): OutputSchema {
  const listed = listSide('output', schema, {
    io: 'output',
    override: ({ zodSchema, jsonSchema: node, path }) => {
      refuseOpen(zodSchema, path)
      loosen(node)
      if (maskRuleOf(zodSchema) === undefined) return
      for (const keyword of ['format', 'minLength', 'maxLength']) delete node[keyword]
    },
  })
  if (schema._zod.optout === 'optional') {
    throw new TypeError('output must not be optional as a whole: declare it nullable()')
  }
  const isObject = listed.type === 'object' || holdsObjects(listed, listed)
  return {
    jsonSchema: isObject && listed.type === undefined ? { type: 'object', ...listed } : listed,
    isObject,
    masksByField: findMaskedFields(schema),
    parse: schema.parse.bind(schema),
  }
}

/** Formats for which zod accepts more than JSON Schema validators, such as IRIs for `uri`. */
const NARROWER_FORMATS: ReadonlySet<unknown> = new Set(['email', 'uri', 'duration'])

/**
 * Removes keywords by which a validator could reject a result that zod accepted: clients discard
 * such results. Patterns lose their flags in JSON Schema; binary fractions fail `multipleOf`; draft
 * 7, which clients of the 2025 era use, interprets `items` next to `prefixItems` differently.
 */
function loosen(node: z.core.JSONSchema.BaseSchema): void {
  delete node.pattern
  const all = node.allOf?.filter((part) => typeof part !== 'object' || !('pattern' in part))
  if (all?.length === 0) delete node.allOf
  if (NARROWER_FORMATS.has(node.format)) delete node.format
  if (!Number.isInteger(node.multipleOf ?? 1)) delete node.multipleOf
  if (node.prefixItems !== undefined) delete node.items
}

/** Whether a schema without `type` at its root still accepts objects only. */
function holdsObjects(node: JsonSchema, root: JsonSchema, depth = 0): boolean {
  if (depth > DEEPEST) return false
  if (node.type !== undefined) return node.type === 'object'
  const members = (node.anyOf ?? node.oneOf ?? node.allOf) as readonly JsonSchema[] | undefined
  if (members !== undefined) return members.every((part) => holdsObjects(part, root, depth + 1))
  const [, name] = /^#\/\$defs\/(.+)$/.exec(String(node.$ref)) ?? []
  const definition = name && (root.$defs as Record<string, JsonSchema> | undefined)?.[name]
  return definition ? holdsObjects(definition, root, depth + 1) : false
}

/** Recursion limit for recursive references. */
const DEEPEST = 20

function refuseOpen(schema: z.core.$ZodTypes, path: readonly (string | number)[]): void {
  const { def } = schema._zod
  const catchall = def.type === 'object' ? def.catchall : undefined
  const isLoose = catchall !== undefined && catchall._zod.def.type !== 'never'
  // Such as z.json(), which would let arbitrary values pass at any depth.
  const isAnything = def.type === 'record' && nestsFreely(schema)
  if (!isLoose && !isAnything && !OPEN_TYPES.has(def.type)) return
  const place = path.length === 0 ? 'its root' : path.join('.')
  throw new TypeError(
    `output is open at ${place} (${isLoose ? 'loose object' : def.type}): declare its fields`,
  )
}
