/** Builds the SDK's server over the catalog. Nothing of a request is captured when one is built. */

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
import type { ToolSettings } from '../engine/run-tool.ts'
import { type Declared, isVisible, mayHide } from '../engine/visibility.ts'
import type { RateLimits } from '../store/rate-limits.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { checkUriLength } from './bounds.ts'
import { createCallTool } from './call-tool.ts'
import { guardHandlers } from './handler-errors.ts'
import { hideFromCallers } from './hide-from-callers.ts'
import { createMaySubscribe, type MaySubscribe } from './may-subscribe.ts'
import type { EventBus } from './nodes/event-bus.ts'
import { type Audience, type Origin, originOf, takeOutcome, type Viewer } from './origin.ts'
import { completes, serveReads } from './reads.ts'
import {
  asStandardSchema,
  clearRegistries,
  registerPrompt,
  registerResource,
  registerTool,
} from './register.ts'
import type { RequestStates } from './request-state.ts'
import { toolRequest } from './tool-call.ts'

export interface ServerDeps {
  readonly catalog: Catalog
  readonly settings: ToolSettings
  readonly about: Implementation
  /** For the client's model. */
  readonly instructions?: string | undefined
  readonly states: RequestStates
  readonly bus: EventBus
  readonly rateLimits: RateLimits
  readonly telemetry: Telemetry
  /** Whether clients of the 2025 era are served; they are if left out. */
  readonly era2025?: boolean
}

export interface ServerOptions {
  readonly audience: Audience
  /** For transports that carry no origin with each request. */
  readonly origin?: Origin
  /** For whom alone it is built: the SDK looks at its tools before a handler does. */
  readonly viewer?: Viewer
}

export type BuildServer = (options: ServerOptions) => McpServer

/** The revision of the 2026 era; the SDK's own list has the earlier ones. */
export const MODERN_REVISION = '2026-07-28'

/** Lists change with a deployment only, but differ with authorization. */
const LIST_CACHE = { ttlMs: 60_000, cacheScope: 'private' } as const
/** Whether something is visible can change at any time. */
const NO_CACHE = { ttlMs: 0, cacheScope: 'private' } as const

const cacheHints = (lists: typeof LIST_CACHE | typeof NO_CACHE) => ({
  'tools/list': lists,
  'prompts/list': lists,
  'resources/list': lists,
  'resources/templates/list': lists,
  'server/discover': LIST_CACHE,
})

/** Schemas are wrapped here once; building a server after that only fills its registries. */
export function createServerFactory(deps: ServerDeps): BuildServer {
  const tools = [...deps.catalog.tools.values()].map((tool) => ({
    tool,
    anonymous: asStandardSchema(tool.anonymousInputSchema),
    token: asStandardSchema(tool.inputSchema),
    output: tool.output && asStandardSchema(tool.output.jsonSchema),
  }))

  const callTool = createCallTool(deps)
  const older = deps.era2025 === false ? [] : SUPPORTED_PROTOCOL_VERSIONS
  const supportedProtocolVersions = [MODERN_REVISION, ...older]
  const { catalog } = deps
  const { team } = deps.settings
  const findResource = createFindResource(catalog.resources)
  const maySubscribe = createMaySubscribe(deps)
  const hides = mayHide(team, declaredIn(catalog))
  const instructions = deps.instructions === undefined ? {} : { instructions: deps.instructions }
  const hints = { cacheHints: cacheHints(hides ? NO_CACHE : LIST_CACHE), ...instructions }
  return ({ audience, origin: fallback, viewer }) => {
    const mcp = new McpServer(deps.about, { ...hints, supportedProtocolVersions })
    clearRegistries(mcp)
    guardHandlers(mcp.server, fallback)
    mcp.server.registerCapabilities(capabilitiesOf(catalog))
    const origin = (ctx: ServerContext) => originOf(ctx, fallback)
    if (hides) hideFromCallers(mcp.server, { catalog, team, originOf: origin })
    for (const { tool, output, ...input } of tools) {
      if (viewer && !isVisible(team, tool.definition, viewer.identity, viewer.log)) continue
      registerTool(mcp, tool, input[audience], output)
    }
    for (const resource of catalog.resources) registerResource(mcp, resource)
    for (const prompt of catalog.prompts) registerPrompt(mcp, prompt)
    serveReads(mcp, { ...deps, findResource, originOf: origin })
    mcp.server.setRequestHandler('tools/call', async (request, ctx) => {
      const outcome =
        takeOutcome(ctx) ?? callTool(toolRequest(request, ctx, mcp.server), origin(ctx))
      const result = await outcome
      if (isInputRequiredResult(result)) return result
      const { output } = catalog.tools.get(request.params.name) ?? {}
      return mcp.server.projectCallToolResult(result, output?.jsonSchema)
    })
    if (catalog.resources.length > 0) serveSubscriptions(mcp, origin, maySubscribe)
    for (const extension of catalog.extensions ?? []) extension.attach(mcp)
    return mcp
  }
}

function declaredIn({ tools, resources, prompts }: Catalog): readonly Declared[] {
  return [...tools.values(), ...resources, ...prompts].map(({ definition }) => definition)
}

/** What the catalog has; the SDK sets its handlers as things are registered. */
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
 * 2025-11-25, server/resources, "Subscriptions"; in the 2026 era they are `subscriptions/listen`. Only
 * resources that the caller may read can be subscribed to.
 */
function serveSubscriptions(
  { server }: McpServer,
  origin: (ctx: ServerContext) => Origin,
  maySubscribe: MaySubscribe,
): void {
  server.setRequestHandler('resources/subscribe', async ({ params: { uri } }, ctx) => {
    const { _meta: meta, signal } = ctx.mcpReq
    await maySubscribe(uri, { origin: origin(ctx), meta, signal })
    await origin(ctx).subscribe(uri, true)
    return {}
  })
  server.setRequestHandler('resources/unsubscribe', async ({ params: { uri } }, ctx) => {
    checkUriLength(uri)
    await origin(ctx).subscribe(uri, false)
    return {}
  })
}
