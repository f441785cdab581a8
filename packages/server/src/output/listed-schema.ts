/** Converts zod schemas to JSON Schema for listing, with the root definition inlined. */

import { z } from 'zod'
import { unlistedField } from './unlisted-field.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

const DEFINITION = '#/$defs/'

/**
 * Converts one side of a declaration.
 * @throws TypeError that names the field that JSON Schema cannot express
 */
export function listSide(
  side: 'input' | 'output' | 'arguments',
  schema: z.core.$ZodType,
  options: z.core.ToJSONSchemaParams,
): JsonSchema {
  try {
    return toListedSchema(schema, options)
  } catch (error) {
    const { override: _override, ...plain } = options
    const fault = unlistedField(schema, plain)
    if (fault === undefined) throw error
    throw new TypeError(`${side} field ${fault}`, { cause: error })
  }
}

/**
 * Converts a schema and inlines the root. With `.meta({ id })` at the root, zod writes a `$ref`
 * there, but both eras require `type: "object"` at the root of an input (2025-11-25 and 2026-07-28,
 * server/tools, "Tool"), and clients of the 2025 era drop or wrap other roots. Keeps the definition
 * if the schema refers to it elsewhere. Omits `pattern` next to `format`, to save tokens: lists are
 * part of a model's context. Omits `$schema` unless the author declared it: 2020-12 is the default
 * (2025-11-25, basic, "JSON Schema Usage"), and clients whose validator does not load that dialect
 * refuse the tool.
 */
function toListedSchema(
  schema: z.core.$ZodType,
  options: z.core.ToJSONSchemaParams = {},
): JsonSchema {
  const { override = () => undefined } = options
  const listed = withSafeNames(
    z.toJSONSchema(schema, {
      ...options,
      override(context) {
        // The format implies the pattern, at a tenth of its size.
        if (context.jsonSchema.format !== undefined) delete context.jsonSchema.pattern
        override(context)
      },
    }),
  )
  if (z.globalRegistry.get(schema)?.$schema === undefined) delete listed.$schema
  const { $ref, $defs, ...rest } = listed
  if (typeof $ref !== 'string' || !$ref.startsWith(DEFINITION)) return listed
  const name = $ref.slice(DEFINITION.length)
  const { [name]: root, ...others } = $defs as Readonly<Record<string, JsonSchema>>
  if (root === undefined) return listed
  const inlined = { ...root, ...rest }
  const definitions = refersTo([root, others], $ref) ? { ...others, [name]: root } : others
  const isEmpty = Object.keys(definitions).length === 0
  return isEmpty ? inlined : { ...inlined, $defs: definitions }
}

/** In characters of JSON. */
const LONGEST_INLINED = 16_384

/**
 * Inlines named definitions: Copilot Studio drops tools with references, and the API of Gemini refuses
 * them. Changes nothing if a definition is recursive, or if the schema would exceed `LONGEST_INLINED`.
 */
export function inlineDefinitions(listed: JsonSchema): JsonSchema {
  const { $defs, ...rest } = listed
  if ($defs === undefined) return listed
  const definitions = $defs as JsonSchema
  const sizes = new Map<string, number>()
  const sizeOf = (value: unknown): number =>
    referencesIn(value).reduce(
      (sum, name) => sum + sizeOfDefinition(name),
      JSON.stringify(value).length,
    )
  /** Infinite if the definition is recursive, or unknown. */
  function sizeOfDefinition(name: string): number {
    const known = sizes.get(name)
    if (known !== undefined) return known
    sizes.set(name, Number.POSITIVE_INFINITY)
    const definition = definitions[name]
    if (definition !== undefined) sizes.set(name, sizeOf(definition))
    return sizes.get(name) ?? Number.POSITIVE_INFINITY
  }
  return sizeOf(rest) > LONGEST_INLINED ? listed : (inline(rest, definitions) as JsonSchema)
}

/** The names of the definitions that a schema refers to. */
function referencesIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) =>
    key === '$ref' && typeof item === 'string' && item.startsWith(DEFINITION)
      ? item.slice(DEFINITION.length)
      : referencesIn(item),
  )
}

/** Inlines all definitions: elicitation forms have flat fields (2025-11-25, client/elicitation). */
export function toFlatSchema(schema: z.core.$ZodType): JsonSchema {
  const { $defs, ...flat } = toListedSchema(schema, { io: 'input' })
  return $defs === undefined ? flat : (inline(flat, $defs as JsonSchema) as JsonSchema)
}

/** Inlines references recursively; a recursive definition keeps its `$ref`, which forms reject. */
function inline(value: unknown, definitions: JsonSchema, within: readonly string[] = []): unknown {
  if (Array.isArray(value)) return value.map((item) => inline(item, definitions, within))
  if (typeof value !== 'object' || value === null) return value
  const { $ref, ...rest } = value as JsonSchema
  const name = typeof $ref === 'string' ? $ref.slice(DEFINITION.length) : ''
  const definition = within.includes(name) ? undefined : definitions[name]
  if (definition !== undefined) {
    return inline({ ...(definition as JsonSchema), ...rest }, definitions, [...within, name])
  }
  const fields = Object.entries(value).map(([key, item]) => [
    key,
    inline(item, definitions, within),
  ])
  return Object.fromEntries(fields)
}

const SAFE_NAME = /^[\w.-]+$/

/** Renames definitions that need URI encoding: zod does not encode references, so clients fail. */
function withSafeNames(listed: Record<string, unknown>): Record<string, unknown> {
  const definitions = (listed.$defs ?? {}) as JsonSchema
  const names = Object.keys(definitions)
  const odd = names.filter((name) => !SAFE_NAME.test(name) && refersTo(listed, referenceTo(name)))
  if (odd.length === 0) return listed
  const renamed = new Map(
    odd.map((name, index) => [name, `${name.replaceAll(/[^\w.-]/g, '_')}_${index + 1}`]),
  )
  const references = new Map(
    [...renamed].map(([name, safe]) => [referenceTo(name), DEFINITION + safe]),
  )
  const $defs = Object.fromEntries(
    names.map((name) => [renamed.get(name) ?? name, definitions[name]]),
  )
  return replaceReferences({ ...listed, $defs }, references) as Record<string, unknown>
}

/** JSON Pointer to a definition (RFC 6901, section 3). */
function referenceTo(name: string): string {
  return DEFINITION + name.replaceAll('~', '~0').replaceAll('/', '~1')
}

function refersTo(value: unknown, reference: string): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(
    ([key, item]) => (key === '$ref' && item === reference) || refersTo(item, reference),
  )
}

function replaceReferences(value: unknown, references: ReadonlyMap<unknown, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => replaceReferences(item, references))
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).map(([key, item]) => [
    key,
    (key === '$ref' && references.get(item)) || replaceReferences(item, references),
  ])
  return Object.fromEntries(fields)
}
