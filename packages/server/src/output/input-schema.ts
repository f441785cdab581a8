/** Converts the input of a tool to the JSON Schema that is listed. */

import { z } from 'zod'
import { inlineDefinitions, type JsonSchema, listSide } from './listed-schema.ts'

/** @throws TypeError that names the field that JSON Schema cannot express */
export function listInput(schema: z.core.$ZodType): JsonSchema {
  const listed = listSide('input', schema, {
    io: 'input',
    override: ({ jsonSchema }) => completeTuple(jsonSchema),
  })
  const isOfAuthor = z.globalRegistry.get(schema)?.$defs !== undefined
  return isOfAuthor ? listed : inlineDefinitions(listed)
}

/**
 * Lists the types of a tuple as its `items`, for which zod writes `false`: VS Code and the API of
 * OpenAI refuse a tool with an array without `items`, and validators of draft 7, which ignore
 * `prefixItems`, then allow only the empty array. The length is fixed, so that `items` changes
 * nothing for validators of 2020-12.
 */
function completeTuple(node: z.core.JSONSchema.BaseSchema): void {
  const { prefixItems, items = false, maxItems } = node
  if (prefixItems === undefined || items !== false || maxItems === undefined) return
  node.items = { anyOf: prefixItems as z.core.JSONSchema.JSONSchema[] }
}
