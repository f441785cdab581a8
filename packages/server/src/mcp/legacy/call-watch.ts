/** Watches the running calls of an HTTP+SSE stream held here; answers those whose node is dead. */

import type { Logger } from '../../logger.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'
import { lostAnswer } from './lost-answer.ts'
import { type McpSession, type McpSessions, ownStreamKey } from './mcp-session.ts'
import type { SendToMcpSession } from './own-stream.ts'
import { runningKey } from './sse-calls.ts'
import type { StreamNotifier } from './stream-notifier.ts'

export interface CallWatchDeps {
  readonly node: ClusterNode
  readonly mcpSessions: McpSessions
  readonly news: StreamNotifier
  readonly send: SendToMcpSession
  readonly log: Logger
}

export interface CallWatch {
  /** Receives the state of the MCP session after each read of its stream. */
  see(mcpSession: McpSession | undefined): void
  stop(): void
}

/** Interval of the liveness checks of the nodes that run calls of an MCP session. */
const LOOK_MS = 1000

export function createCallWatch(deps: CallWatchDeps): CallWatch {
  const { node, news, log } = deps
  let timer: NodeJS.Timeout | undefined
  let due = false
  let stopped = false

  function see(mcpSession: McpSession | undefined): void {
    if (stopped || mcpSession === undefined) return
    if (due) {
      due = false
      answerLost(deps, mcpSession).catch((error: unknown) => {
        log.debug({ err: error }, 'check of running calls failed')
      })
    }
    if (timer !== undefined || nodesOf(mcpSession).every((each) => each === node.id)) return
    timer = setTimeout(() => {
      timer = undefined
      due = true
      // Reads the stream first: a node may have written its response and died before it notified.
      news.notify(ownStreamKey(mcpSession.id))
    }, LOOK_MS)
  }

  return {
    see,
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

async function answerLost(
  { node, mcpSessions, send, log }: CallWatchDeps,
  { id, calls }: McpSession,
): Promise<void> {
  for (const each of nodesOf({ calls })) {
    if (await node.isAlive(each)) continue
    for (const [name, requestId] of Object.entries(calls)) {
      if (nodeOf(name) !== each) continue
      const takes = runningKey(id, name)
      if (await send(id, lostAnswer(requestId), { takes })) log.warn('call lost with its node')
      await mcpSessions.callEnds(id, name)
    }
  }
}

function nodesOf({ calls }: Pick<McpSession, 'calls'>): readonly string[] {
  return [...new Set(Object.keys(calls).map(nodeOf))]
}

/** The node in a call's name, `<node>-<n>`. */
function nodeOf(name: string): string {
  return name.split('-')[0] ?? ''
}
