/**
 * Calls whose responses go to an HTTP+SSE stream. No POST waits for a response, so the store lists
 * the running calls: if a node dies, another node answers its calls.
 */

import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server'
import type { Logger } from '../../logger.ts'
import type { Store } from '../../store/port.ts'
import { documentBytes, type StorageBudget } from '../../store/storage-budget.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'
import { createLateAnswers, retryWrite } from '../nodes/retry-write.ts'
import type { HeldStreams } from './held-streams.ts'
import { lostAnswer } from './lost-answer.ts'
import type { McpSessions } from './mcp-session.ts'
import { OWN_STREAM_BOUNDS, type SendToMcpSession } from './own-stream.ts'
import type { ResponseSink } from './response-sink.ts'

export interface SseCallDeps {
  readonly node: ClusterNode
  readonly store: Store
  readonly mcpSessions: McpSessions
  readonly held: Pick<HeldStreams, 'sendNow'>
  readonly send: SendToMcpSession
  readonly log: Logger
}

export interface SseCalls {
  /**
   * Records a call before it runs and returns its response sink. Calls `fenced` if another node has
   * declared the call lost and answered it. Messages of the call are charged to `storage`.
   * @throws AppError `unavailable`, `too_many_requests` if `storage` is exhausted, and `not_found`
   * if the MCP session has ended
   */
  begin(
    connectionId: string,
    requestId: RequestId,
    fenced: () => void,
    storage: StorageBudget,
  ): Promise<ResponseSink>
}

/** Longer than any call runs: a call whose key has expired could not be answered. */
const RUNNING_SECONDS = 24 * 60 * 60

/** Key that exists until the call is answered; the response deletes it atomically: exactly one. */
export function runningKey(connectionId: string, name: string): string {
  return `{${connectionId}}:running:${name}`
}

export function createSseCalls(deps: SseCallDeps): SseCalls {
  const { node, store, mcpSessions, held, send, log } = deps
  const sendLate = createLateAnswers<JSONRPCMessage>(OWN_STREAM_BOUNDS.ttlSeconds)
  let count = 0

  return {
    async begin(connectionId, requestId, fenced, storage) {
      count += 1
      const name = `${node.id}-${count}`
      const running = runningKey(connectionId, name)
      await storage.spend(documentBytes({}))
      await store.set(running, {}, RUNNING_SECONDS)
      await mcpSessions.callBegins(connectionId, name, requestId)

      // Serializes the writes, so that the response never overtakes earlier messages.
      let working = Promise.resolve()
      const next = (work: () => Promise<void>) => {
        working = working.then(work).catch((error: unknown) => {
          log.warn({ err: error }, 'client notification failed')
        })
      }
      async function tell(message: JSONRPCMessage, condition: object): Promise<void> {
        if (await send(connectionId, message, condition, storage)) return
        log.warn('a call was taken for lost')
        fenced()
      }
      const end = () => mcpSessions.callEnds(connectionId, name)
      const write = (message: JSONRPCMessage) => tell(message, { takes: running })
      // Not async: its frame would retain a large response that `sendLate` may have dropped.
      function answer(message: JSONRPCMessage): Promise<void> {
        const written = write(message).catch((error: unknown) => {
          log.warn({ err: error }, 'answer not stored; retrying')
          // The store is full or unavailable: sends directly if the client is connected here.
          if (held.sendNow(connectionId, message)) return tryUntilDone(() => store.delete(running))
          return sendLate(message, lostAnswer(requestId), write)
        })
        return written.then(end)
      }
      return {
        notify: (message) => next(() => tell(message, { onlyIf: running })),
        respond: (message) => next(() => answer(message)),
        discard: () => next(() => store.delete(running).then(end)),
      }
    },
  }
}

/** Retries a deletion; rarely needed, because a full store accepts deletions. Never fails. */
function tryUntilDone(attempt: () => Promise<unknown>): Promise<unknown> {
  return attempt().catch(() => retryWrite(attempt, OWN_STREAM_BOUNDS.ttlSeconds))
}
