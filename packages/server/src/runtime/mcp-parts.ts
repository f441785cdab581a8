/** Wires the MCP endpoints. */

import type { Logo } from '../config/logo-file.ts'
import { basePathOf } from '../config/public-path.ts'
import type { Config } from '../config.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { Catalog } from '../engine/discover.ts'
import { NO_TEAM, type Team } from '../engine/team.ts'
import type { Logger } from '../logger.ts'
import { createCallTool } from '../mcp/call-tool.ts'
import { createDirectCalls } from '../mcp/direct/direct-calls.ts'
import { createMcpEndpoint } from '../mcp/endpoint.ts'
import { createLegacy } from '../mcp/legacy/legacy.ts'
import type { McpSessions } from '../mcp/legacy/mcp-sessions.ts'
import { createLimits } from '../mcp/limits.ts'
import type { ClusterNode } from '../mcp/nodes/cluster-node.ts'
import type { EventBus } from '../mcp/nodes/event-bus.ts'
import type { SessionEnds } from '../mcp/nodes/session-ends.ts'
import { createRequestStates } from '../mcp/request-state.ts'
import { createServerFactory } from '../mcp/server-factory.ts'
import { type Blocks, refuseBlockedTools } from '../session/blocks.ts'
import type { Store } from '../store/port.ts'
import type { RateLimits } from '../store/rate-limits.ts'
import type { Streams } from '../store/streams.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { implementationOf } from './implementation.ts'

interface McpDeps {
  readonly config: Config
  readonly catalog: Catalog
  readonly team?: Team | undefined
  readonly store: Store
  readonly log: Logger
  readonly publicUrl: string
  readonly telemetry: Telemetry
  readonly logo?: Logo | undefined
}

interface McpParts {
  readonly keyRing: KeyRing
  readonly now: () => number
  readonly streams: Streams
  readonly node: ClusterNode
  readonly bus: EventBus
  readonly blocks: Blocks
  readonly sessionEnds: SessionEnds
  readonly mcpSessions: McpSessions
  readonly rateLimits: RateLimits
}

/** The endpoints of both eras, and the fast path. */
export async function createMcpParts(deps: McpDeps, parts: McpParts) {
  const { config, catalog, team = NO_TEAM, store, log, publicUrl, telemetry } = deps
  const { keyRing, now, streams, node, bus, blocks, sessionEnds, mcpSessions, rateLimits } = parts
  const settings = {
    ...config.tools,
    ...{ team, auditSubject: config.log.auditSubject, refuseBlocked: refuseBlockedTools(blocks) },
  }
  const states = createRequestStates({ keyRing, store, now }, config.signIn)
  const calls = { catalog, settings, states, bus, rateLimits, telemetry }
  const buildServer = createServerFactory({
    calls,
    about: implementationOf(deps),
    instructions: config.introduction?.instructions,
    era2025: config.serves.era2025,
  })
  const limits = createLimits(config.http, telemetry.metrics)
  const { ttlSeconds, unusedTtlSeconds } = config.session
  const legacy = createLegacy({
    ...{ node, store, streams, keyRing, mcpSessions, buildServer, sessionEnds, limits, log },
    ...{ ttlSeconds, unusedTtlSeconds, metrics: telemetry.metrics },
    basePath: basePathOf(publicUrl),
  })
  const { era2025 } = config.serves
  const mcp = await createMcpEndpoint({
    ...{ calls, buildServer, sessionEnds, limits, log, era2025 },
    legacy: legacy.streamable,
  })
  const direct = createDirectCalls({ catalog, team, modern: mcp.modern, limits })
  return { mcp, direct, legacy, limits, buildServer, callTool: createCallTool(calls) }
}
