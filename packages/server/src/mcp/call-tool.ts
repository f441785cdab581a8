/** Runs one `tools/call` by the engine, whichever way its request came. */

import { ProtocolError, ProtocolErrorCode, type ServerEvent } from '@modelcontextprotocol/server'
import type { Announce } from '../engine/context.ts'
import type { Catalog } from '../engine/discover.ts'
import { runTool, type ToolOutcome, type ToolSettings } from '../engine/run-tool.ts'
import type { RateLimits } from '../store/rate-limits.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { EventBus } from './nodes/event-bus.ts'
import type { Origin } from './origin.ts'
import type { RequestStates } from './request-state.ts'
import { bindingOf, createToolCall, type ToolRequest } from './tool-call.ts'

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
  const { catalog, states, rateLimits, telemetry, bus } = deps
  const settings = { ...deps.settings, hasLoginTool: catalog.tools.has('login') }
  return async (request, origin) => {
    const tool = catalog.tools.get(request.name)
    if (tool === undefined) {
      telemetry.metrics.toolUnknown()
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Unknown tool')
    }
    const { announce, publishing } = announceOn(bus)
    const { sealed } = request
    const carried =
      sealed === undefined
        ? undefined
        : await states.open(sealed, bindingOf(request, origin), origin.storage)
    const round = { announce, carried }
    const call = createToolCall({ states, rateLimits }, request, origin, round)
    try {
      return await runTool(tool, call, settings, telemetry)
    } finally {
      // The answer comes after its changes: what its client causes next comes after them, on any node.
      if (publishing.length > 0) await Promise.all(publishing)
    }
  }
}

/** `publishing` is all that one call announced so far. */
function announceOn(bus: EventBus) {
  const publishing: Promise<void>[] = []
  const publish = (event: ServerEvent) => void publishing.push(bus.publish(event))
  const announce: Announce = {
    toolsChanged: () => publish({ kind: 'tools_list_changed' }),
    promptsChanged: () => publish({ kind: 'prompts_list_changed' }),
    resourcesChanged: () => publish({ kind: 'resources_list_changed' }),
    resourceUpdated: (uri) => publish({ kind: 'resource_updated', uri }),
  }
  return { announce, publishing }
}
