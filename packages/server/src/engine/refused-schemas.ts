/** Finds input schemas that the specification allows and known clients or model APIs refuse. */

import type { JsonSchema } from '../output/listed-schema.ts'

/**
 * Keywords that the APIs of Anthropic and OpenAI refuse at the root of an input schema; clients drop
 * the tool, or all tools of the server.
 */
const REFUSED_AT_ROOT = ['anyOf', 'oneOf', 'allOf', 'enum', 'not']

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const WITH_SCHEMAS = new Set([
  ...['properties', 'patternProperties', 'additionalProperties', 'propertyNames'],
  ...['items', 'prefixItems', 'contains', 'anyOf', 'oneOf', 'allOf', 'not'],
  ...['if', 'then', 'else', 'dependentSchemas', '$defs', 'definitions'],
])

/** Describes what known clients refuse in an input schema; undefined if nothing. */
export function refusedIn(schema: JsonSchema): string | undefined {
  const keyword = REFUSED_AT_ROOT.find((name) => name in schema)
  if (keyword !== undefined) return `"${keyword}" at the root`
  const path = arrayWithoutItems(schema)
  if (path !== undefined) return `an array without "items" at ${path}`
  return JSON.stringify(schema).includes('"$ref":"') ? 'a reference ("$ref")' : undefined
}

/** The JSON Pointer of an array without `items`, which VS Code and the API of OpenAI refuse. */
function arrayWithoutItems(node: unknown, path = ''): string | undefined {
  if (typeof node !== 'object' || node === null) return undefined
  if ((node as JsonSchema).type === 'array' && !(node as JsonSchema).items) return path
  for (const [name, value] of Object.entries(node)) {
    if (!WITH_SCHEMAS.has(name)) continue
    const found = inSchemas(value, `${path}/${name}`)
    if (found !== undefined) return found
  }
  return undefined
}

function inSchemas(value: unknown, path: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const isByName = /\/(?:properties|patternProperties|dependentSchemas|\$defs|definitions)$/.test(
    path,
  )
  if (!isByName && !Array.isArray(value)) return arrayWithoutItems(value, path)
  for (const [name, schema] of Object.entries(value)) {
    const found = arrayWithoutItems(schema, `${path}/${name}`)
    if (found !== undefined) return found
  }
  return undefined
}
