/** Fills the SDK's registries from the catalog. */

import {
  type McpServer,
  type ReadResourceResult,
  ResourceTemplate,
  type ServerContext,
  type StandardSchemaWithJSON,
} from '@modelcontextprotocol/server'
import type { CompiledTool } from '../engine/compile-tool.ts'
import type { AnyPrompt } from '../engine/define-prompt.ts'
import {
  type ResourceDefinition,
  type ResourceRequest,
  toResourceResult,
} from '../engine/define-resource.ts'
import type { Env } from '../engine/env.ts'
import { renderPrompt } from '../engine/render-prompt.ts'
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

export interface ReadDeps {
  readonly env: Env
  readonly originOf: (ctx: ServerContext) => Origin
}

export function registerResource(
  mcp: McpServer,
  resource: ResourceDefinition,
  deps: ReadDeps,
): void {
  const { name, title, description, mimeType, uri, cache, complete = {} } = resource
  const metadata = {
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(mimeType !== undefined && { mimeType }),
    ...(cache !== undefined && { cacheHint: cache }),
  }
  if (!uri.includes('{')) {
    mcp.registerResource(name, uri, metadata, async (url, ctx) =>
      readResource(resource, url, {}, ctx, deps),
    )
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
  mcp.registerResource(name, template, metadata, async (url, variables, ctx) =>
    readResource(resource, url, variables, ctx, deps),
  )
}

async function readResource(
  resource: ResourceDefinition,
  uri: URL,
  variables: ResourceRequest['variables'],
  ctx: ServerContext,
  { env, originOf }: ReadDeps,
): Promise<ReadResourceResult> {
  const { signal } = ctx.mcpReq
  const caller = originOf(ctx).identity
  const value = await resource.read({ uri, variables, signal, caller, ...env })
  return toResourceResult(resource, uri, value)
}

export interface PromptDeps extends ReadDeps {
  readonly states: RequestStates
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
    const { principal, storage, identity } = deps.originOf(ctx)
    const binding = { principal, for: `prompt ${name}`, arguments: input }
    const sealed = ctx.mcpReq.requestState<string>()
    return renderPrompt(prompt, {
      input,
      responses: ctx.mcpReq.inputResponses ?? {},
      carried: sealed === undefined ? undefined : await deps.states.open(sealed, binding, storage),
      carry: (state) => deps.states.seal(state, binding),
      signal: ctx.mcpReq.signal,
      caller: identity,
      env: deps.env,
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
