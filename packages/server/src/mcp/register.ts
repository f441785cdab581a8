/** Registers the catalog's tools, resources and prompts with the SDK. */

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
 * Replaces the SDK's registries by objects without a prototype: the SDK looks up names that clients
 * send, and would find `constructor` on the prototype. Call it before any registration.
 */
export function clearRegistries(mcp: McpServer): void {
  Object.assign(mcp, {
    _registeredTools: Object.create(null),
    _registeredPrompts: Object.create(null),
    _registeredResources: Object.create(null),
    _registeredResourceTemplates: Object.create(null),
  })
}

/** The engine runs tools: the SDK only lists the tool and checks the headers of its calls. */
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

/** The engine reads resources: the SDK only lists the resource. */
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

/** The engine renders prompts: the SDK only lists the prompt. */
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

/** Adapts a memoized JSON Schema to the SDK, without validation: the engine validates. */
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
