/** Puts the parts of the 2025 era together. */

import type { KeyRing } from '../../crypto/key-ring.ts'
import type { Logger } from '../../logger.ts'
import type { Store } from '../../store/port.ts'
import type { Streams } from '../../store/streams.ts'
import type { CallToolDeps } from '../call-tool.ts'
import type { Limits } from '../limits.ts'
import type { Node } from '../nodes/node.ts'
import type { SessionEnds } from '../nodes/session-ends.ts'
import type { BuildServer } from '../server.ts'
import { createCallStreams } from './call-streams.ts'
import { createClientAnswers } from './client-answers.ts'
import type { Connections } from './connection.ts'
import { createLegacyEndpoint, type LegacyEndpoint } from './endpoint.ts'
import { createHeldStreams } from './held-streams.ts'
import { createLegacyMessages } from './messages.ts'
import { createOpenStreams } from './open-streams.ts'
import { createOpenedConnections } from './opened-connections.ts'
import { createRunningCalls, type RunningCalls } from './running-calls.ts'
import { createLegacyServers } from './servers.ts'
import { createSseEndpoint, type SseEndpoint } from './sse.ts'
import { createStreamNews } from './stream-news.ts'
import { createWireIds } from './wire-ids.ts'

export interface LegacyPartsDeps extends CallToolDeps {
  readonly node: Node
  readonly store: Store
  readonly streams: Streams
  readonly keyRing: KeyRing
  readonly connections: Connections
  readonly buildServer: BuildServer
  readonly sessionEnds: SessionEnds
  readonly limits: Limits
  /** How long connections that nobody uses live. */
  readonly ttlSeconds: number
  /** How long anonymous ones live that were never used. */
  readonly unusedTtlSeconds: number
  readonly log: Logger
  /** The path that the server is below, or empty. */
  readonly basePath: string
}

export interface Legacy {
  readonly streamable: LegacyEndpoint
  readonly sse: SseEndpoint
  readonly running: RunningCalls
  /** Ends what clients can have from other nodes: they come back there. */
  releaseStreams(): void
  /** Waits for the calls this node runs, so many milliseconds at most. */
  finishCalls(longestMs: number): Promise<void>
}

export function createLegacy(deps: LegacyPartsDeps): Legacy {
  const { node } = deps
  const news = createStreamNews(node)
  const { metrics } = deps.telemetry
  const wireIds = createWireIds(deps.keyRing)
  const answers = createClientAnswers({ ...deps, wireIds, metrics })
  const running = createRunningCalls({ node, metrics, limits: deps.limits })
  const servers = createLegacyServers(deps.buildServer)
  const messages = createLegacyMessages({ ...deps, answers, running, servers })
  const calls = createCallStreams({ ...deps, news })
  const open = createOpenStreams(deps.sessionEnds)
  const held = createHeldStreams({ ...deps, news, open }, deps)
  const opened = createOpenedConnections(deps, deps)
  return {
    streamable: createLegacyEndpoint({ ...deps, news, messages, calls, held, opened, open }),
    sse: createSseEndpoint({ ...deps, news, messages, held, opened }),
    running,
    releaseStreams: open.release,
    finishCalls: running.finish,
  }
}
