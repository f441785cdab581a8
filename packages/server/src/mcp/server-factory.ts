/** Builds SDK servers from the catalog. A server captures no state of a request. */

import {
  type Implementation,
  isInputRequiredResult,
  McpServer,
  type ServerCapabilities,
  type ServerContext,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/server'
import type { Catalog } from '../engine/discover.ts'
import { createFindResource } from '../engine/find-resource.ts'
import { type Declared, isVisible, mayHide } from '../engine/visibility.ts'
import { checkUriLength } from './bounds.ts'
import { type CallToolDeps, createCallTool } from './call-tool.ts'
import { guardHandlers } from './handler-errors.ts'
import { hideFromCallers } from './hide-from-callers.ts'
import { createMaySubscribe, type MaySubscribe } from './may-subscribe.ts'
import { completes, serveReads } from './reads.ts'
import { refuseCursors } from './refuse-cursors.ts'
import {
  asStandardSchema,
  clearRegistries,
  registerPrompt,
  registerResource,
  registerTool,
} from './register.ts'
import {
  type Audience,
  detachOutcome,
  type RequestContext,
  requestContextOf,
  type Viewer,
} from './request-context.ts'
import { toolRequest } from './tool-request.ts'

export interface ServerDeps {
  readonly calls: CallToolDeps
  readonly about: Implementation
  /** Instructions for the client's model. */
  readonly instructions?: string | undefined
  /** Whether to serve clients of the 2025 era; true if omitted. */
  readonly era2025?: boolean
}

export interface ServerOptions {
  readonly audience: Audience
  /** Fallback for transports without a context for each request (stdio). */
  readonly requestContext?: RequestContext
  /** The only caller of this server: the SDK reads its tools before any handler runs. */
  readonly viewer?: Viewer
}

export type BuildServer = (options: ServerOptions) => McpServer

/** The revision of the 2026 era; the SDK exports a list of the earlier ones. */
export const MODERN_REVISION = '2026-07-28'

/** Lists change only with a deployment, but depend on authorization. */
const LIST_CACHE = { ttlMs: 60_000, cacheScope: 'private' } as const
/** With visibility rules, lists can change at any time. */
const NO_CACHE = { ttlMs: 0, cacheScope: 'private' } as const

const cacheHints = (lists: typeof LIST_CACHE | typeof NO_CACHE) => ({
  'tools/list': lists,
  'prompts/list': lists,
  'resources/list': lists,
  'resources/templates/list': lists,
  'server/discover': LIST_CACHE,
})

/** Wraps the schemas once, so that building a server only fills its registries. */
export function createServerFactory({ calls, ...deps }: ServerDeps): BuildServer {
  const { catalog } = calls
  const { team } = calls.settings
  const tools = [...catalog.tools.values()].map((tool) => ({
    tool,
    anonymous: asStandardSchema(tool.anonymousInputSchema),
    token: asStandardSchema(tool.inputSchema),
    output: tool.output && asStandardSchema(tool.output.jsonSchema),
  }))

  const callTool = createCallTool(calls)
  const older = deps.era2025 === false ? [] : SUPPORTED_PROTOCOL_VERSIONS
  const supportedProtocolVersions = [MODERN_REVISION, ...older]
  const findResource = createFindResource(catalog.resources)
  const maySubscribe = createMaySubscribe(calls)
  const hides = mayHide(team, declaredIn(catalog))
  const instructions = deps.instructions === undefined ? {} : { instructions: deps.instructions }
  const hints = { cacheHints: cacheHints(hides ? NO_CACHE : LIST_CACHE), ...instructions }
  return ({ audience, requestContext: fallback, viewer }) => {
    const mcp = new McpServer(deps.about, { ...hints, supportedProtocolVersions })
    clearRegistries(mcp)
    guardHandlers(mcp.server, fallback)
    refuseCursors(mcp.server)
    mcp.server.registerCapabilities(capabilitiesOf(catalog))
    const requestContext = (ctx: ServerContext) => requestContextOf(ctx, fallback)
    if (hides) hideFromCallers(mcp.server, { catalog, team, requestContextOf: requestContext })
    for (const { tool, output, ...input } of tools) {
      if (viewer && !isVisible(team, tool.definition, viewer.identity, viewer.log)) continue
      registerTool(mcp, tool, input[audience], output)
    }
    for (const resource of catalog.resources) registerResource(mcp, resource)
    for (const prompt of catalog.prompts) registerPrompt(mcp, prompt)
    serveReads(mcp, { calls, findResource, requestContextOf: requestContext })
    mcp.server.setRequestHandler('tools/call', async (request, ctx) => {
      const outcome =
        detachOutcome(ctx) ?? callTool(toolRequest(request, ctx, mcp.server), requestContext(ctx))
      const result = await outcome
      if (isInputRequiredResult(result)) return result
      const { output } = catalog.tools.get(request.params.name) ?? {}
      return mcp.server.projectCallToolResult(result, output?.jsonSchema)
    })
    if (catalog.resources.length > 0) serveSubscriptions(mcp, requestContext, maySubscribe)
    for (const extension of catalog.extensions ?? []) extension.attach(mcp)
    return mcp
  }
}

function declaredIn({ tools, resources, prompts }: Catalog): readonly Declared[] {
  return [...tools.values(), ...resources, ...prompts].map(({ definition }) => definition)
}

/** The capabilities of the catalog; the SDK sets its handlers on registration. */
function capabilitiesOf(catalog: Catalog): ServerCapabilities {
  const { resources, prompts } = catalog
  return {
    tools: { listChanged: true },
    ...(resources.length > 0 && { resources: { listChanged: true, subscribe: true } }),
    ...(prompts.length > 0 && { prompts: { listChanged: true } }),
    ...(completes(catalog) && { completions: {} }),
    logging: {},
  }
}

/**
 * 2025-11-25, server/resources, "Subscriptions"; the 2026 era has `subscriptions/listen`. A caller
 * can subscribe only to resources that it may read.
 */
function serveSubscriptions(
  { server }: McpServer,
  requestContext: (ctx: ServerContext) => RequestContext,
  maySubscribe: MaySubscribe,
): void {
  server.setRequestHandler('resources/subscribe', async ({ params: { uri } }, ctx) => {
    const { _meta: meta, signal } = ctx.mcpReq
    await maySubscribe(uri, { requestContext: requestContext(ctx), meta, signal })
    await requestContext(ctx).subscribe(uri, true)
    return {}
  })
  server.setRequestHandler('resources/unsubscribe', async ({ params: { uri } }, ctx) => {
    checkUriLength(uri)
    await requestContext(ctx).subscribe(uri, false)
    return {}
  })
}
