/** Fills the SDK's registries from the catalog. */

import {
  type McpServer,
  ResourceTemplate,
  type StandardSchemaWithJSON,
} from '@modelcontextprotocol/server'
import type { CompiledPrompt } from '../engine/compile-prompt.ts'
import type { CompiledResource } from '../engine/compile-resource.ts'
import type { CompiledTool } from '../engine/compile-tool.ts'
import { isTemplate } from '../engine/find-resource.ts'
import { listedType } from '../engine/resource-result.ts'
import type { JsonSchema } from '../output/listed-schema.ts'

/**
 * Gives the SDK registries without a prototype: it looks up whatever name a client sends, and would
 * find `constructor` in all of its own. Call it before anything is registered.
 */
export function clearRegistries(mcp: McpServer): void {
  Object.assign(mcp, {
    _registeredTools: Object.create(null),
    _registeredPrompts: Object.create(null),
    _registeredResources: Object.create(null),
    _registeredResourceTemplates: Object.create(null),
  })
}

/** Runs are the engine's: the SDK only lists the tool and checks the headers of its calls. */
export function registerTool(
  mcp: McpServer,
  { definition }: CompiledTool,
  inputSchema: StandardSchemaWithJSON,
  outputSchema: StandardSchemaWithJSON | undefined,
): void {
  const { name, title, description, annotations, icons, meta } = definition
  const about = {
    ...(title !== undefined && { title }),
    ...(annotations !== undefined && { annotations }),
    ...(icons !== undefined && { icons: [...icons] }),
    ...(meta !== undefined && { _meta: { ...meta } }),
  }
  const config = {
    ...{ ...about, description, inputSchema },
    ...(outputSchema !== undefined && { outputSchema }),
  }
  mcp.registerTool(name, config, () => {
    throw new Error('Tools are run by the engine')
  })
}

/** Reads are not the SDK's: it only lists the resource. */
export function registerResource(mcp: McpServer, resource: CompiledResource): void {
  const { name, title, description, uri, annotations, icons, meta, size } = resource.definition
  const mimeType = listedType(resource)
  const metadata = {
    ...(annotations !== undefined && { annotations }),
    ...(icons !== undefined && { icons: [...icons] }),
    ...(meta !== undefined && { _meta: { ...meta } }),
    ...(size !== undefined && { size }),
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(mimeType !== undefined && { mimeType }),
  }
  const read = () => {
    throw new Error('Resources are read by the engine')
  }
  if (!isTemplate(resource)) {
    mcp.registerResource(name, uri, metadata, read)
    return
  }
  mcp.registerResource(name, new ResourceTemplate(uri, { list: undefined }), metadata, read)
}

/** Rendering is not the SDK's either. */
export function registerPrompt(mcp: McpServer, { definition, listed }: CompiledPrompt): void {
  const { name, title, description, icons, meta } = definition
  const about = {
    ...(title !== undefined && { title }),
    ...(icons !== undefined && { icons: [...icons] }),
    ...(meta !== undefined && { _meta: { ...meta } }),
    description,
  }
  mcp.registerPrompt(name, { ...about, argsSchema: listed }, () => {
    throw new Error('Prompts are rendered by the engine')
  })
}

/** A memoised JSON Schema in the form the SDK takes; the engine does the validating. */
export function asStandardSchema(jsonSchema: JsonSchema): StandardSchemaWithJSON {
  const json = () => ({ ...jsonSchema })
  return {
    '~standard': {
      version: 1,
      vendor: 'mcp-template',
      validate: (value) => ({ value }),
      jsonSchema: { input: json, output: json },
    },
  }
}
