/**
 * Calls whose answers go to an HTTP+SSE stream. No POST waits for them, so that the store knows of
 * those that run: one whose node is lost can be answered by another.
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
   * Gives the way out of a call, which must not run before that. `fenced` is called when the call
   * was taken for lost meanwhile: its client has its answer. What the call says counts for `storage`.
   * @throws AppError `unavailable`, `too_many_requests` when `storage` is exhausted, and `not_found`
   * when the connection has ended
   */
  begin(
    connectionId: string,
    requestId: RequestId,
    fenced: () => void,
    storage: StorageBudget,
  ): Promise<ResponseSink>
}

/** Longer than any call runs: one that is not known any more could not be answered. */
const RUNNING_SECONDS = 24 * 60 * 60

/** Exists until the call is answered; the answer takes it along, so that there is only one. */
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

      // One after the other, so that an answer never overtakes what came before it.
      let working = Promise.resolve()
      const next = (work: () => Promise<void>) => {
        working = working.then(work).catch((error: unknown) => {
          log.warn({ err: error }, 'client not told')
        })
      }
      async function tell(message: JSONRPCMessage, condition: object): Promise<void> {
        if (await send(connectionId, message, condition, storage)) return
        log.warn('a call was taken for lost')
        fenced()
      }
      const end = () => mcpSessions.callEnds(connectionId, name)
      const write = (message: JSONRPCMessage) => tell(message, { takes: running })
      // Not async: its frame would hold a large answer that is lost already.
      function answer(message: JSONRPCMessage): Promise<void> {
        const written = write(message).catch((error: unknown) => {
          log.warn({ err: error }, 'answer not kept: trying again')
          // A client that is connected here does not wait for the store, which is full or away.
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

/** Deletions succeed on a store that is full, so that waiting is the exception. Never fails. */
function tryUntilDone(attempt: () => Promise<unknown>): Promise<unknown> {
  return attempt().catch(() => retryWrite(attempt, OWN_STREAM_BOUNDS.ttlSeconds))
}
