/** Runs a `tools/call` in the engine, for the fast path and the SDK alike. */

import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import type { RequestStateContent } from '../engine/call.ts'
import type { CompiledTool } from '../engine/compile-tool.ts'
import type { Catalog } from '../engine/discover.ts'
import type { RunSettings } from '../engine/run-settings.ts'
import { runTool, type ToolOutcome } from '../engine/run-tool.ts'
import { isVisible, mayHide } from '../engine/visibility.ts'
import type { RateLimits } from '../store/rate-limits.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { EventBus } from './nodes/event-bus.ts'
import type { RequestContext } from './request-context.ts'
import type { RequestStates } from './request-state.ts'
import { bindingOf, RequestedCall, type ToolRequest } from './requested-call.ts'

export interface CallToolDeps {
  readonly catalog: Catalog
  readonly settings: RunSettings
  readonly states: RequestStates
  readonly bus: EventBus
  readonly rateLimits: RateLimits
  readonly telemetry: Telemetry
}

/** @throws ProtocolError for an unknown tool, and for a `requestState` that does not verify */
export type CallTool = (
  request: ToolRequest,
  requestContext: RequestContext,
) => Promise<ToolOutcome>

/**
 * Replaces the SDK's handler: only the engine validates arguments, and a `requestState` that does
 * not verify is a protocol error instead of a tool result.
 */
export function createCallTool(deps: CallToolDeps): CallTool {
  const { catalog, telemetry } = deps
  const { team } = deps.settings
  const rules = new Set(
    [...catalog.tools.values()].filter((tool) => mayHide(team, [tool.definition])),
  )
  const isHidden = (tool: CompiledTool, requestContext: RequestContext) =>
    rules.has(tool) &&
    !isVisible(team, tool.definition, requestContext.identity, requestContext.log)
  const settings = { ...deps.settings, hasLoginTool: catalog.tools.has('login') }

  function run(
    request: ToolRequest,
    requestContext: RequestContext,
    requestState: RequestStateContent | undefined,
  ) {
    const tool = catalog.tools.get(request.name)
    if (tool === undefined || isHidden(tool, requestContext)) return refuseUnknown()
    const call = new RequestedCall(deps, request, requestContext, requestState)
    return runTool(tool, call, settings, telemetry)
  }

  async function refuseUnknown(): Promise<never> {
    telemetry.metrics.toolUnknown()
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Unknown tool')
  }

  return (request, requestContext) => {
    const { sealed, name } = request
    if (sealed === undefined || !catalog.tools.has(name))
      return run(request, requestContext, undefined)
    const opening = deps.states.open(
      sealed,
      bindingOf(request, requestContext),
      requestContext.storage,
    )
    return opening.then((requestState) => run(request, requestContext, requestState))
  }
}
