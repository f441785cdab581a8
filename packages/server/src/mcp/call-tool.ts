/** Runs one `tools/call` by the engine, whichever way its request came. */

import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import type { CompiledTool } from '../engine/compile-tool.ts'
import type { Catalog } from '../engine/discover.ts'
import { runTool, type ToolOutcome, type ToolSettings } from '../engine/run-tool.ts'
import { isVisible } from '../engine/visibility.ts'
import type { RateLimits } from '../store/rate-limits.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { EventBus } from './nodes/event-bus.ts'
import type { Origin } from './origin.ts'
import type { RequestStates } from './request-state.ts'
import { bindingOf, RequestedCall, type ToolRequest } from './tool-call.ts'

export interface CallToolDeps {
  readonly catalog: Catalog
  readonly settings: ToolSettings
  readonly states: RequestStates
  readonly bus: EventBus
  readonly rateLimits: RateLimits
  readonly telemetry: Telemetry
}

/** @throws ProtocolError for a tool there is not, and for a state that does not verify */
export type CallTool = (request: ToolRequest, origin: Origin) => Promise<ToolOutcome>

/**
 * Takes the place of the SDK's own handler, so that the engine alone validates, and so that a state
 * that does not verify is a protocol error rather than a tool result.
 */
export function createCallTool(deps: CallToolDeps): CallTool {
  const { catalog, telemetry } = deps
  const { team } = deps.settings
  const isHidden = ({ definition }: CompiledTool, { identity, log }: Origin) =>
    !isVisible(team, definition, identity, log)
  const settings = { ...deps.settings, hasLoginTool: catalog.tools.has('login') }
  return async (request, origin) => {
    const tool = catalog.tools.get(request.name)
    if (tool === undefined || isHidden(tool, origin)) {
      telemetry.metrics.toolUnknown()
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Unknown tool')
    }
    const { sealed } = request
    const carried =
      sealed === undefined
        ? undefined
        : await deps.states.open(sealed, bindingOf(request, origin), origin.storage)
    const call = new RequestedCall(deps, request, origin, carried)
    try {
      return await runTool(tool, call, settings, telemetry)
    } finally {
      // The answer comes after its changes: what its client causes next comes after them, on any node.
      if (call.publishing !== undefined) await Promise.all(call.publishing)
    }
  }
}
