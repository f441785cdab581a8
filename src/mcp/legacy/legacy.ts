/** Puts the parts of the 2025 era together. */

import type { Logger } from '../../logger.ts'
import type { Streams } from '../../store/streams.ts'
import type { Node } from '../nodes/node.ts'
import type { BuildServer } from '../server.ts'
import { createCallStreams } from './call-streams.ts'
import { createClientAnswers } from './client-answers.ts'
import type { Connections } from './connection.ts'
import { createLegacyEndpoint, type LegacyEndpoint } from './endpoint.ts'
import { createHeldStreams } from './held-streams.ts'
import { createLegacyMessages } from './messages.ts'
import { createSendToConnection } from './own-stream.ts'
import { createRunningCalls } from './running-calls.ts'
import { createSseEndpoint, type SseEndpoint } from './sse.ts'
import { createStreamNews } from './stream-news.ts'

export interface LegacyPartsDeps {
  readonly node: Node
  readonly streams: Streams
  readonly connections: Connections
  readonly buildServer: BuildServer
  readonly log: Logger
}

export interface Legacy {
  readonly streamable: LegacyEndpoint
  readonly sse: SseEndpoint
  /** Ends the GET streams this node holds; their clients come back to another node. */
  releaseStreams(): void
  /** Waits for the calls this node runs, so many milliseconds at most. */
  finishCalls(longestMs: number): Promise<void>
}

export function createLegacy(deps: LegacyPartsDeps): Legacy {
  const { node, connections, buildServer } = deps
  const news = createStreamNews(node)
  const answers = createClientAnswers(node)
  const running = createRunningCalls(node)
  const messages = createLegacyMessages({ answers, running, connections, buildServer })
  const calls = createCallStreams({ ...deps, news })
  const held = createHeldStreams({ ...deps, news })
  const send = createSendToConnection(deps)
  return {
    streamable: createLegacyEndpoint({ ...deps, news, messages, calls, held }),
    sse: createSseEndpoint({ connections, messages, held, send }),
    releaseStreams: held.closeAll,
    finishCalls: running.finish,
  }
}
