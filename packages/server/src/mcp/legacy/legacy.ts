/** Wires the parts of the 2025 era. */

import type { KeyRing } from '../../crypto/key-ring.ts'
import type { Logger } from '../../logger.ts'
import type { Store } from '../../store/port.ts'
import type { Streams } from '../../store/streams.ts'
import type { CallToolDeps } from '../call-tool.ts'
import type { Limits } from '../limits.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'
import type { SessionEnds } from '../nodes/session-ends.ts'
import type { BuildServer } from '../server-factory.ts'
import { createCallStreams } from './call-streams.ts'
import { createClientAnswers, createWireIds } from './client-answers.ts'
import { createOpenStreams, createStreamNotifier } from './event-stream.ts'
import { createHeldStreams } from './held-streams.ts'
import { createLegacyEndpoint, type LegacyEndpoint } from './legacy-endpoint.ts'
import type { McpSessions } from './mcp-session.ts'
import { createLegacyMessages, createLegacyServers } from './messages.ts'
import { createOpenedMcpSessions } from './opened-mcp-sessions.ts'
import { createRunningCalls, type RunningCalls } from './running-calls.ts'
import { createSseEndpoint, type SseEndpoint } from './sse.ts'

export interface LegacyPartsDeps extends CallToolDeps {
  readonly node: ClusterNode
  readonly store: Store
  readonly streams: Streams
  readonly keyRing: KeyRing
  readonly mcpSessions: McpSessions
  readonly buildServer: BuildServer
  readonly sessionEnds: SessionEnds
  readonly limits: Limits
  /** TTL of MCP sessions (sliding expiration). */
  readonly ttlSeconds: number
  /** TTL of anonymous MCP sessions before their first use. */
  readonly unusedTtlSeconds: number
  readonly log: Logger
  /** Path prefix of the server, or empty. */
  readonly basePath: string
}

export interface Legacy {
  readonly streamable: LegacyEndpoint
  readonly sse: SseEndpoint
  readonly running: RunningCalls
  /** Graceful shutdown: ends the streams that clients can resume on other nodes. */
  releaseStreams(): void
  /** Graceful shutdown: waits for the running calls, for at most `longestMs` milliseconds. */
  finishCalls(longestMs: number): Promise<void>
}

export function createLegacy(deps: LegacyPartsDeps): Legacy {
  const { node } = deps
  const notifier = createStreamNotifier(node)
  const { metrics } = deps.telemetry
  const wireIds = createWireIds(deps.keyRing)
  const answers = createClientAnswers({ ...deps, wireIds, metrics })
  const running = createRunningCalls({ node, metrics, limits: deps.limits })
  const servers = createLegacyServers(deps.buildServer)
  const messages = createLegacyMessages({ ...deps, answers, running, servers })
  const calls = createCallStreams({ ...deps, notifier })
  const open = createOpenStreams(deps.sessionEnds)
  const held = createHeldStreams({ ...deps, notifier, open }, deps)
  const opened = createOpenedMcpSessions(deps, deps)
  return {
    streamable: createLegacyEndpoint({ ...deps, notifier, messages, calls, held, opened, open }),
    sse: createSseEndpoint({ ...deps, notifier, messages, held, opened }),
    running,
    releaseStreams: open.release,
    finishCalls: running.finish,
  }
}
