/** JSON Schema as it is listed: an object at its root, whatever its author named. */

import { z } from 'zod'

export type JsonSchema = Readonly<Record<string, unknown>>

const DEFINITION = '#/$defs/'

/**
 * Converts a schema. `.meta({ id })` at the root makes zod write a reference there; but both eras want
 * `type: "object"` at the root (2025-11-25 and 2026-07-28, server/tools, "Tool"), and clients of the
 * 2025 era leave other roots out or wrap them. So what a root refers to stands there itself; it stays
 * a definition as well where the schema refers to it again.
 */
export function toListedSchema(
  schema: z.core.$ZodType,
  options: z.core.ToJSONSchemaParams = {},
): JsonSchema {
  const listed: JsonSchema = z.toJSONSchema(schema, options)
  const { $ref, $defs, ...rest } = listed
  if (typeof $ref !== 'string' || !$ref.startsWith(DEFINITION)) return listed
  const name = unescapePointer($ref.slice(DEFINITION.length))
  const { [name]: root, ...others } = $defs as Readonly<Record<string, JsonSchema>>
  if (root === undefined) return listed
  const inlined = { ...root, ...rest }
  const definitions = refersTo([root, others], $ref) ? { ...others, [name]: root } : others
  const isEmpty = Object.keys(definitions).length === 0
  return isEmpty ? inlined : { ...inlined, $defs: definitions }
}

/** RFC 6901, section 4. */
function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~')
}

function refersTo(value: unknown, reference: string): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(
    ([key, item]) => (key === '$ref' && item === reference) || refersTo(item, reference),
  )
}
