/** Runs one `tools/call` by the engine, whichever way its request came. */

import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import type { CarriedState } from '../engine/call.ts'
import type { CompiledTool } from '../engine/compile-tool.ts'
import type { Catalog } from '../engine/discover.ts'
import { runTool, type ToolOutcome, type ToolSettings } from '../engine/run-tool.ts'
import { isVisible, mayHide } from '../engine/visibility.ts'
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
  const rules = new Set(
    [...catalog.tools.values()].filter((tool) => mayHide(team, [tool.definition])),
  )
  const isHidden = (tool: CompiledTool, origin: Origin) =>
    rules.has(tool) && !isVisible(team, tool.definition, origin.identity, origin.log)
  const settings = { ...deps.settings, hasLoginTool: catalog.tools.has('login') }

  function run(request: ToolRequest, origin: Origin, carried: CarriedState | undefined) {
    const tool = catalog.tools.get(request.name)
    if (tool === undefined || isHidden(tool, origin)) return refuseUnknown()
    const call = new RequestedCall(deps, request, origin, carried)
    return runTool(tool, call, settings, telemetry)
  }

  async function refuseUnknown(): Promise<never> {
    telemetry.metrics.toolUnknown()
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Unknown tool')
  }

  return (request, origin) => {
    const { sealed, name } = request
    if (sealed === undefined || !catalog.tools.has(name)) return run(request, origin, undefined)
    const opening = deps.states.open(sealed, bindingOf(request, origin), origin.storage)
    return opening.then((carried) => run(request, origin, carried))
  }
}
