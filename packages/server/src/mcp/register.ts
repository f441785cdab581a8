/** Fills the SDK's registries from the catalog. */

import {
  type McpServer,
  ResourceTemplate,
  type ServerContext,
  type StandardSchemaWithJSON,
} from '@modelcontextprotocol/server'
import type { CompiledResource } from '../engine/compile-resource.ts'
import type { CompiledTool } from '../engine/compile-tool.ts'
import type { AnyPrompt } from '../engine/define-prompt.ts'
import { isTemplate } from '../engine/find-resource.ts'
import { renderPrompt } from '../engine/render-prompt.ts'
import { listedType } from '../engine/resource-result.ts'
import type { JsonSchema } from '../output/listed-schema.ts'
import type { Origin } from './origin.ts'
import type { RequestStates } from './request-state.ts'

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
  const { name, title, description, annotations } = definition
  const about = {
    ...(title !== undefined && { title }),
    ...(annotations !== undefined && { annotations }),
  }
  const config = {
    ...{ ...about, description, inputSchema },
    ...(outputSchema !== undefined && { outputSchema }),
  }
  mcp.registerTool(name, config, () => {
    throw new Error('Tools are run by the engine')
  })
}

/** Reads are not the SDK's: it only lists the resource and completes its variables. */
export function registerResource(mcp: McpServer, resource: CompiledResource): void {
  const { name, title, description, uri, complete = {} } = resource.definition
  const mimeType = listedType(resource)
  const metadata = {
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
  const suggest = Object.entries(complete).map(
    ([variable, suggestions]) => [variable, (typed: string) => [...suggestions(typed)]] as const,
  )
  const template = new ResourceTemplate(uri, {
    list: undefined,
    // Without a prototype: the SDK looks up whatever name the client sends, `constructor` too.
    complete: Object.assign(Object.create(null), Object.fromEntries(suggest)),
  })
  mcp.registerResource(name, template, metadata, read)
}

export interface PromptDeps {
  readonly states: RequestStates
  readonly originOf: (ctx: ServerContext) => Origin
}

export function registerPrompt(
  mcp: McpServer,
  prompt: AnyPrompt,
  argsSchema: AnyPrompt['arguments'],
  deps: PromptDeps,
): void {
  const { name, title, description } = prompt
  const about = { ...(title !== undefined && { title }), description }
  mcp.registerPrompt(name, { ...about, argsSchema }, async (input, ctx) => {
    const { principal, storage } = deps.originOf(ctx)
    const binding = { principal, for: `prompt ${name}`, arguments: input }
    const sealed = ctx.mcpReq.requestState<string>()
    return renderPrompt(prompt, {
      input,
      responses: ctx.mcpReq.inputResponses ?? {},
      carried: sealed === undefined ? undefined : await deps.states.open(sealed, binding, storage),
      carry: (state) => deps.states.seal(state, binding),
      signal: ctx.mcpReq.signal,
    })
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
