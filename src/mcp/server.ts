/** Builds the SDK's server over the catalog. Nothing of a request is captured when one is built. */

import {
  type CallToolRequest,
  isInputRequiredResult,
  McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceTemplate,
  type ServerCapabilities,
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
import type { Catalog } from '../engine/discover.ts'
import { runTool, type ToolSettings } from '../engine/run-tool.ts'
import type { JsonSchema } from '../output/output-schema.ts'
import { guardHandlers } from './handler-errors.ts'
import { type Origin, originOf } from './origin.ts'
import type { RequestStates } from './request-state.ts'
import { createToolCall } from './tool-call.ts'

export interface ServerDeps {
  readonly states: RequestStates
  readonly catalog: Catalog
  readonly settings: ToolSettings
  readonly about: { readonly name: string; readonly version: string }
}

export interface ServerOptions {
  /** Lists vary by authorization only: callers without a token see the `session` argument. */
  readonly audience: 'anonymous' | 'token'
  /** For transports that carry no origin with each request. */
  readonly origin?: Origin
}

export type BuildServer = (options: ServerOptions) => McpServer

/** Lists change with a deployment only, but differ with authorization. */
const LIST_CACHE = { ttlMs: 60_000, cacheScope: 'private' } as const

const CACHE_HINTS = {
  'tools/list': LIST_CACHE,
  'prompts/list': LIST_CACHE,
  'resources/list': LIST_CACHE,
  'resources/templates/list': LIST_CACHE,
  'server/discover': LIST_CACHE,
}

/** Schemas are wrapped here once; building a server after that only fills its registries. */
export function createServerFactory(deps: ServerDeps): BuildServer {
  const tools = [...deps.catalog.tools.values()].map((tool) => ({
    tool,
    anonymous: asStandardSchema(tool.anonymousInputSchema),
    token: asStandardSchema(tool.inputSchema),
    output: asStandardSchema(tool.output.jsonSchema),
  }))

  return ({ audience, origin }) => {
    const mcp = new McpServer(deps.about, { cacheHints: CACHE_HINTS })
    guardHandlers(mcp.server, origin)
    mcp.server.registerCapabilities(capabilitiesOf(deps.catalog))
    for (const { tool, output, ...input } of tools) {
      registerTool(mcp, tool, input[audience], output)
    }
    for (const resource of deps.catalog.resources) registerResource(mcp, resource)
    for (const prompt of deps.catalog.prompts) registerPrompt(mcp, prompt)
    mcp.server.setRequestHandler('tools/call', (request, ctx) =>
      callTool(deps, mcp, request, ctx, origin),
    )
    return mcp
  }
}

/** What the catalog has; the SDK sets its handlers as things are registered. */
function capabilitiesOf({ resources, prompts }: Catalog): ServerCapabilities {
  return {
    tools: { listChanged: false },
    ...(resources.length > 0 && { resources: { listChanged: false } }),
    ...(prompts.length > 0 && { prompts: { listChanged: false } }),
  }
}

/**
 * Takes the place of the SDK's own handler, so that the engine alone validates, and so that a state
 * that does not verify is a protocol error rather than a tool result.
 */
async function callTool(
  deps: ServerDeps,
  { server }: McpServer,
  request: CallToolRequest,
  ctx: ServerContext,
  fallback: Origin | undefined,
) {
  const tool = deps.catalog.tools.get(request.params.name)
  if (tool === undefined) {
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Unknown tool')
  }
  const call = createToolCall(deps.states, request, ctx, server, originOf(ctx, fallback))
  const result = await runTool(tool, call, deps.settings)
  if (isInputRequiredResult(result)) return result
  return server.projectCallToolResult(result, tool.output.jsonSchema)
}

function registerTool(
  mcp: McpServer,
  { definition }: CompiledTool,
  inputSchema: StandardSchemaWithJSON,
  outputSchema: StandardSchemaWithJSON,
): void {
  const { name, title, description, annotations } = definition
  const about = {
    ...(title !== undefined && { title }),
    ...(annotations !== undefined && { annotations }),
  }
  const config = { ...about, description, inputSchema, outputSchema }
  mcp.registerTool(name, config, () => {
    throw new Error('Tools are run by the engine')
  })
}

function registerResource(mcp: McpServer, resource: ResourceDefinition): void {
  const { name, title, description, mimeType, uri, cache, complete = {} } = resource
  const metadata = {
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(mimeType !== undefined && { mimeType }),
    ...(cache !== undefined && { cacheHint: cache }),
  }
  const read = async (url: URL, variables: ResourceRequest['variables'], ctx: ServerContext) => {
    const { signal } = ctx.mcpReq
    return toResourceResult(resource, url, await resource.read({ uri: url, variables, signal }))
  }
  if (!uri.includes('{')) {
    mcp.registerResource(name, uri, metadata, (url, ctx) => read(url, {}, ctx))
    return
  }
  const suggest = Object.entries(complete).map(
    ([variable, suggestions]) => [variable, (typed: string) => [...suggestions(typed)]] as const,
  )
  const template = new ResourceTemplate(uri, {
    list: undefined,
    complete: Object.fromEntries(suggest),
  })
  mcp.registerResource(name, template, metadata, read)
}

function registerPrompt(mcp: McpServer, prompt: AnyPrompt): void {
  const { name, title, description } = prompt
  const about = { ...(title !== undefined && { title }), description }
  mcp.registerPrompt(name, { ...about, argsSchema: prompt.arguments }, async (input) => ({
    description,
    messages: [{ role: 'user', content: { type: 'text', text: await prompt.render(input) } }],
  }))
}

/** A memoised JSON Schema in the form the SDK takes; the engine does the validating. */
function asStandardSchema(jsonSchema: JsonSchema): StandardSchemaWithJSON {
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
