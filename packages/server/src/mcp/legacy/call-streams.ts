/**
 * What a call says to its client before and with its answer. It goes to the client at once and into
 * the store as well, so that any node can tell it again to a client that lost its connection.
 */

import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server'
import type { Logger } from '../../logger.ts'
import {
  entryBytes,
  STREAM_OVERHEAD,
  type StorageBudget,
  UNLIMITED,
} from '../../store/storage-budget.ts'
import type { Streams } from '../../store/streams.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'
import { createLateAnswers } from '../nodes/retry-write.ts'
import { formatEventId } from './event-id.ts'
import { createEventStream, type EventStream, takesEmptyEvents } from './event-stream.ts'
import { lostAnswer } from './lost-answer.ts'
import { type McpSessionRecord, mcpSessionKey } from './mcp-session.ts'
import type { StreamNotifier } from './stream-notifier.ts'

/** One entry of a call's stream: that it has begun, then messages, then the end. */
export type CallEntry = Said & {
  /** In the first entry, and in some of those that take its place where a call says much. */
  readonly requestId?: RequestId
}

type Said = { readonly message?: JSONRPCMessage } | CallEnd

/** The answer is in it, so that nobody finds the one without the other. */
export type CallEnd =
  | { readonly end: 'answered'; readonly message: JSONRPCMessage }
  | { readonly end: 'cancelled'; readonly message?: never }

/** Long enough for a call to get on, short enough for nobody to wait. */
const COME_BACK_MS = 500

/** How much of a call can be told again, and until when. */
export const CALL_STREAM_BOUNDS = { maxLength: 1000, maxBytes: 4 * 1024 * 1024, ttlSeconds: 600 }

/**
 * Of what is kept of a call some entry says whose it is; not each one, since ids take room. Characters
 * may be three bytes, and a third more sealed; half of the bytes may be trimmed.
 */
const NAMED_EVERY = {
  entries: CALL_STREAM_BOUNDS.maxLength / 2,
  characters: CALL_STREAM_BOUNDS.maxBytes / 16,
}

export interface CallStream {
  readonly events: EventStream
  write(message: JSONRPCMessage): void
  /** Ends the client's stream and goes on without it, once all it was told can be told again. */
  closeStream(): Promise<void>
  /** Nothing more comes. A cancelled call cannot be resumed: its client does not want it. */
  end(end: CallEnd): void
}

export interface CallStreams {
  /** Starts the stream of a call; `fenced` is called if another node declared this one dead. */
  open(
    mcpSession: McpSessionRecord,
    requestId: RequestId,
    fenced: () => void,
    storage?: StorageBudget,
  ): CallStream
}

export interface CallStreamDeps {
  readonly node: ClusterNode
  readonly streams: Streams
  readonly news: StreamNotifier
  readonly log: Logger
}

/** The stream's key; the braces keep it beside its connection. */
export function callStreamKey(connectionId: string, node: string, call: number): string {
  return `{${connectionId}}:call:${node}.${call}`
}

export function createCallStreams({ node, streams, news, log }: CallStreamDeps): CallStreams {
  const writeEnd = createEndWriter(log)
  let calls = 0
  /** Nodes that read along, by stream. */
  const watchers = new Map<string, Set<string>>()

  node.onMessage((message) => {
    if (message.kind !== 'watch') return
    const known = watchers.get(message.stream)
    if (known?.has(message.by)) return
    known?.add(message.by)
    // What was written before the letter came, or a call that has ended, is news as well.
    notifyReader(message.by, message.stream)
  })

  function notifyReader(nodeId: string, stream: string): void {
    node
      .send(nodeId, { kind: 'news', stream })
      .catch((error: unknown) => log.debug({ err: error }, 'reader not told of news'))
  }

  function announce(stream: string): void {
    news.notify(stream)
    for (const watcher of watchers.get(stream) ?? []) notifyReader(watcher, stream)
  }

  function open(
    { id: connectionId, protocolVersion }: McpSessionRecord,
    requestId: RequestId,
    fenced: () => void,
    storage = UNLIMITED,
  ): CallStream {
    calls += 1
    const call = calls
    const key = callStreamKey(connectionId, node.id, call)
    const events = createEventStream()
    const onKept = (kept: boolean) => (kept ? announce(key) : fenced())
    const place = { key, onlyIf: mcpSessionKey(connectionId), requestId, storage }
    const record = createRecord({ streams, log }, place, onKept)
    watchers.set(key, new Set())

    const eventId = (sequence: number) =>
      formatEventId({ kind: 'call', node: node.id, call, sequence })
    const keep = (said: Said) => eventId(record.keep(said))

    const first = keep({})
    if (takesEmptyEvents(protocolVersion)) events.prime(first)
    return {
      events,
      write: (message) => events.write(message, keep({ message })),
      async closeStream() {
        if (!(await record.complete()) || !events.open) return
        events.retry(COME_BACK_MS)
        events.end()
      },
      end(end) {
        const { sequence, write } = record.last()
        const lost: CallEnd = { end: 'answered', message: lostAnswer(requestId) }
        if (end.message !== undefined) events.write(end.message, eventId(sequence))
        events.end()
        void writeEnd(write, end, lost).finally(() => watchers.delete(key))
      },
    }
  }

  return { open }
}

/** Writes the end of a call, late where the store does not take it: else it is waited for in vain. */
function createEndWriter(log: Logger) {
  const writeLate = createLateAnswers<CallEnd>(CALL_STREAM_BOUNDS.ttlSeconds)
  // Not async: its frame would hold a large answer that is lost already.
  return (
    write: (end: CallEnd) => Promise<unknown>,
    end: CallEnd,
    lost: CallEnd,
  ): Promise<unknown> =>
    write(end).catch((error: unknown) => {
      log.warn({ err: error }, 'end of a call not kept: trying again')
      return writeLate(end, lost, write)
    })
}

interface Place {
  readonly key: string
  readonly onlyIf: string
  readonly requestId: RequestId
  readonly storage: StorageBudget
}

/** Writes down what a call says, in order; `onKept` hears false when another node took its place. */
function createRecord(
  { streams, log }: Pick<CallStreamDeps, 'streams' | 'log'>,
  { key, onlyIf, requestId, storage }: Place,
  onKept: (kept: boolean) => void,
) {
  let sequence = 0
  let isReplayable = true
  /** The last entry that is kept and says whose call it is. */
  let named = Number.NEGATIVE_INFINITY
  let charactersSince = 0
  let complete = Promise.resolve(true)

  /** Explicit numbers: no round trip before the client is served, and a taken one tells of a fence. */
  async function write(said: Said, at: number): Promise<boolean> {
    // Served all the same: what strangers are told beyond their budget cannot be told again.
    if (at === 1) isReplayable = !storage.isSpent()
    if (!isReplayable || (storage.isSpent() && !('end' in said))) return false
    if (storage.isSpent()) said = { end: 'answered', message: lostAnswer(requestId) }
    const names = at - named >= NAMED_EVERY.entries || charactersSince >= NAMED_EVERY.characters
    const text = JSON.stringify(names ? { requestId, ...said } : said)
    charactersSince += text.length
    if (storage !== UNLIMITED) storage.charge(entryBytes(text) + (at === 1 ? STREAM_OVERHEAD : 0))
    const options = { ...CALL_STREAM_BOUNDS, sequence: at, onlyIf }
    const kept = (await streams.append(key, text, options)) !== undefined
    if (kept && names) {
      named = Math.max(named, at)
      charactersSince = 0
    }
    onKept(kept)
    return kept
  }

  return {
    keep(said: Said): number {
      sequence += 1
      const keeping = write(said, sequence).catch((error: unknown) => {
        log.warn({ err: error }, 'event not kept: it cannot be resumed')
        return false
      })
      complete = Promise.all([complete, keeping]).then((kept) => !kept.includes(false))
      return sequence
    },
    /** The place of the end, which may be written later. */
    last() {
      sequence += 1
      const at = sequence
      return { sequence: at, write: (end: CallEnd) => write(end, at) }
    },
    /** Whether all that was said so far can be told again. */
    complete: () => complete,
  }
}
