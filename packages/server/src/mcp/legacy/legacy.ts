/** Wires the parts of the 2025 era. */

import type { KeyRing } from '../../crypto/key-ring.ts'
import type { Logger } from '../../logger.ts'
import type { Store } from '../../store/port.ts'
import type { Streams } from '../../store/streams.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Limits } from '../limits.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'
import type { SessionEnds } from '../nodes/session-ends.ts'
import type { BuildServer } from '../server-factory.ts'
import { createCallStreams } from './call-streams.ts'
import { createOpenStreams, createStreamNotifier } from './event-stream.ts'
import { HeldStreams } from './held-streams.ts'
import { createLegacyServers } from './initialize.ts'
import { createLegacyEndpoint } from './legacy-endpoint.ts'
import type { McpSessions } from './mcp-sessions.ts'
import { createLegacyMessages } from './messages.ts'
import { createFindMcpSession, OpenedMcpSessions } from './opened-mcp-sessions.ts'
import { RunningCalls } from './running-calls.ts'
import { createWireIds, ServerRequests } from './server-requests.ts'
import { createSseEndpoint } from './sse.ts'

export interface LegacyPartsDeps {
  readonly node: ClusterNode
  readonly store: Store
  readonly streams: Streams
  readonly keyRing: KeyRing
  readonly mcpSessions: McpSessions
  readonly buildServer: BuildServer
  readonly sessionEnds: SessionEnds
  readonly limits: Limits
  readonly metrics: Pick<Metrics, 'clientMessageDropped'>
  /** TTL of MCP sessions (sliding expiration). */
  readonly ttlSeconds: number
  /** TTL of anonymous MCP sessions before their first use. */
  readonly unusedTtlSeconds: number
  readonly log: Logger
  /** Path prefix of the server, or empty. */
  readonly basePath: string
}

export function createLegacy(deps: LegacyPartsDeps) {
  const { node, store, streams, keyRing, mcpSessions, limits, metrics, log } = deps
  const { ttlSeconds, unusedTtlSeconds, basePath } = deps
  const notifier = createStreamNotifier(node)
  const openStreams = createOpenStreams(deps.sessionEnds)
  const callStreams = createCallStreams({ node, streams, notifier, log })
  const heldStreams = new HeldStreams({
    ...{ node, streams, notifier, mcpSessions, limits, openStreams, unusedTtlSeconds, log },
  })
  const wireIds = createWireIds(keyRing)
  const serverRequests = new ServerRequests({ node, store, wireIds, metrics })
  const runningCalls = new RunningCalls({ node, metrics, limits })
  const servers = createLegacyServers(deps.buildServer)
  const messages = createLegacyMessages({
    ...{ serverRequests, runningCalls, mcpSessions, limits, servers },
  })
  const openedMcpSessions = new OpenedMcpSessions(
    { node, limits },
    { ttlSeconds, unusedTtlSeconds },
  )
  const findMcpSession = createFindMcpSession({ mcpSessions, openedMcpSessions })
  return {
    streamable: createLegacyEndpoint({
      ...{ node, streams, notifier, mcpSessions, openedMcpSessions, findMcpSession, servers },
      ...{ messages, callStreams, heldStreams, openStreams, limits, log },
    }),
    sse: createSseEndpoint({
      ...{ node, store, streams, notifier, mcpSessions, openedMcpSessions, servers },
      ...{ messages, heldStreams, basePath, log },
    }),
    findMcpSession,
    runningCalls,
    /** Graceful shutdown: ends the streams that clients can resume on other nodes. */
    releaseStreams: openStreams.release,
    /** Graceful shutdown: waits for the running calls, for at most `longestMs` milliseconds. */
    finishCalls: (longestMs: number): Promise<void> => runningCalls.finish(longestMs),
  }
}
