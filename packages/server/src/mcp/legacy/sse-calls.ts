/**
 * Calls whose responses go to an HTTP+SSE stream. No POST waits for a response, so the store lists
 * the running calls: the node that holds the stream answers the calls of a node that died.
 */

import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server'
import type { Logger } from '../../logger.ts'
import type { Store } from '../../store/port.ts'
import { documentBytes, entryBytes, type StorageBudget } from '../../store/storage-budget.ts'
import type { AppendOptions, Streams } from '../../store/streams.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'
import { createLateAnswers, retryWrite } from '../nodes/retry-write.ts'
import type { StreamNotifier } from './event-stream.ts'
import type { HeldStreams } from './held-streams.ts'
import { type McpSession, mcpSessionKey, ownStreamKey } from './mcp-session-record.ts'
import type { McpSessions } from './mcp-sessions.ts'
import type { ResponseSink } from './messages.ts'
import { lostAnswer } from './running-calls.ts'

interface SseCallDeps {
  readonly node: ClusterNode
  readonly store: Store
  readonly mcpSessions: McpSessions
  readonly heldStreams: Pick<HeldStreams, 'sendNow'>
  readonly send: SendToMcpSession
  readonly log: Logger
}

/** Longer than any call runs: a call whose key has expired could not be answered. */
const RUNNING_SECONDS = 24 * 60 * 60

/** Key that exists until the call is answered; the response deletes it atomically: exactly one. */
function runningKey(mcpSessionId: string, name: string): string {
  return `{${mcpSessionId}}:running:${name}`
}

export type SseCalls = ReturnType<typeof createSseCalls>

export function createSseCalls(deps: SseCallDeps) {
  const { node, store, mcpSessions } = deps
  const sendLate = createLateAnswers<JSONRPCMessage>(OWN_STREAM_BOUNDS.ttlSeconds)
  let count = 0

  return {
    /**
     * Records a call before it runs and returns its response sink. Calls `fenced` if another node
     * has declared the call lost and answered it. Messages of the call are charged to `storage`.
     * @throws AppError `unavailable`, `too_many_requests` if `storage` is exhausted, and
     * `not_found` if the MCP session has ended
     */
    async begin(
      mcpSessionId: string,
      requestId: RequestId,
      fenced: () => void,
      storage: StorageBudget,
    ): Promise<ResponseSink> {
      count += 1
      const name = `${node.id}-${count}`
      await storage.spend(documentBytes({}))
      await store.set(runningKey(mcpSessionId, name), {}, RUNNING_SECONDS)
      await mcpSessions.callBegins(mcpSessionId, name, requestId)
      return createSseSink(deps, { mcpSessionId, requestId, name, fenced, storage }, sendLate)
    },
  }
}

interface SseCall {
  readonly mcpSessionId: string
  readonly requestId: RequestId
  /** Its name in the record of the MCP session. */
  readonly name: string
  readonly fenced: () => void
  readonly storage: StorageBudget
}

/** The response sink of a call: appends its messages to the MCP session's own log. */
function createSseSink(
  { store, mcpSessions, heldStreams, send, log }: SseCallDeps,
  { mcpSessionId, requestId, name, fenced, storage }: SseCall,
  sendLate: ReturnType<typeof createLateAnswers<JSONRPCMessage>>,
): ResponseSink {
  const marker = runningKey(mcpSessionId, name)
  // Serializes the writes, so that the response never overtakes earlier messages.
  let writing = Promise.resolve()
  const enqueue = (task: () => Promise<void>) => {
    writing = writing.then(task).catch((error: unknown) => {
      log.warn({ err: error }, 'client notification failed')
    })
  }
  async function append(message: JSONRPCMessage, condition: object): Promise<void> {
    if (await send(mcpSessionId, message, condition, storage)) return
    log.warn('running call was declared lost')
    fenced()
  }
  const end = () => mcpSessions.callEnds(mcpSessionId, name)
  const write = (message: JSONRPCMessage) => append(message, { takes: marker })
  // Not async: its frame would retain a large response that `sendLate` may have dropped.
  function answer(message: JSONRPCMessage): Promise<void> {
    const written = write(message).catch((error: unknown) => {
      log.warn({ err: error }, 'answer not stored; retrying')
      // The store is full or unavailable: sends directly if the client is connected here.
      if (heldStreams.sendNow(mcpSessionId, message)) {
        return deleteWithRetry(() => store.delete(marker))
      }
      return sendLate(message, lostAnswer(requestId), write)
    })
    return written.then(end)
  }
  return {
    notify: (message) => enqueue(() => append(message, { onlyIf: marker })),
    respond: (message) => enqueue(() => answer(message)),
    discard: () => enqueue(() => store.delete(marker).then(end)),
  }
}

/** Retries a deletion; rarely needed, because a full store accepts deletions. Never fails. */
function deleteWithRetry(attempt: () => Promise<unknown>): Promise<unknown> {
  return attempt().catch(() => retryWrite(attempt, OWN_STREAM_BOUNDS.ttlSeconds))
}

/** Bounds of an MCP session's own log: what its stream can replay, and for how long. */
const OWN_STREAM_BOUNDS = { maxLength: 500, maxBytes: 16 * 1024 * 1024, ttlSeconds: 3600 }

interface OwnStreamDeps {
  readonly node: ClusterNode
  readonly streams: Streams
  readonly mcpSessions: McpSessions
}

/**
 * Appends a message and notifies the holder of the stream. Sequential sends keep their order. The
 * condition is that of `Streams.append`, by default that the MCP session exists; returns false and
 * sends nothing if the condition does not hold.
 */
export type SendToMcpSession = (
  mcpSessionId: string,
  message: JSONRPCMessage,
  condition?: Pick<AppendOptions, 'onlyIf' | 'takes'>,
  storage?: StorageBudget,
) => Promise<boolean>

export function createSendToMcpSession(deps: OwnStreamDeps): SendToMcpSession {
  const { node, streams, mcpSessions } = deps
  return async (mcpSessionId, message, condition, storage) => {
    const stream = ownStreamKey(mcpSessionId)
    const options = {
      ...OWN_STREAM_BOUNDS,
      ...(condition ?? { onlyIf: mcpSessionKey(mcpSessionId) }),
    }
    const text = JSON.stringify(message)
    storage?.charge(entryBytes(text))
    const id = await streams.append(stream, text, options)
    if (id === undefined) return false
    const notifyHolder = async () => {
      const holder = (await mcpSessions.retrieve(mcpSessionId))?.holder
      if (holder) await node.send(holder, { kind: 'news', stream })
    }
    // The message is written: only the notification is retried, or the client would get duplicates.
    await notifyHolder().catch(() => void retryWrite(notifyHolder, OWN_STREAM_BOUNDS.ttlSeconds))
    return true
  }
}

interface CallWatchDeps {
  readonly node: ClusterNode
  readonly mcpSessions: McpSessions
  readonly notifier: StreamNotifier
  readonly send: SendToMcpSession
  readonly log: Logger
}

/** Interval of the liveness checks of the nodes that run calls of an MCP session. */
const LIVENESS_CHECK_MS = 1000

/** Answers the calls of the MCP session whose node died; checks while its stream is open. */
export function createCallWatch(deps: CallWatchDeps) {
  const { node, notifier, log } = deps
  let timer: NodeJS.Timeout | undefined
  let isDue = false
  let isStopped = false

  function check(mcpSession: McpSession | undefined): void {
    if (isStopped || mcpSession === undefined) return
    if (isDue) {
      isDue = false
      answerLost(deps, mcpSession).catch((error: unknown) => {
        log.debug({ err: error }, 'check of running calls failed')
      })
    }
    if (timer !== undefined || nodesOf(mcpSession).every((each) => each === node.id)) return
    timer = setTimeout(() => {
      timer = undefined
      isDue = true
      // Reads the stream first: a node may have written its response and died before it notified.
      notifier.notify(ownStreamKey(mcpSession.id))
    }, LIVENESS_CHECK_MS)
  }

  return {
    /** Call with the state of the MCP session after each read of its stream. */
    check,
    stop(): void {
      isStopped = true
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
