/** Resumability (`Last-Event-ID`): any node replays the event log of a call, then follows it. */

import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import type { Streams } from '../../store/streams.ts'
import type { Limits } from '../limits.ts'
import type { McpRequest } from '../mcp-request.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'
import { CALL_STREAM_BOUNDS, type CallEnd, type CallEntry, callStreamKey } from './call-streams.ts'
import {
  type CallEventId,
  createEventStream,
  type EventStream,
  formatEventId,
  type OpenStreams,
  type StreamNotifier,
  takesEmptyEvents,
} from './event-stream.ts'
import type { McpSessionRecord } from './mcp-session-record.ts'
import { lostAnswer } from './running-calls.ts'

export interface ResumeDeps {
  readonly node: ClusterNode
  readonly streams: Streams
  readonly notifier: StreamNotifier
  readonly limits: Limits
  readonly openStreams: OpenStreams
  readonly log: Logger
}

/** Interval of the liveness checks of the node that runs the call. */
const LIVENESS_CHECK_MS = 1000

/** How long a node may take to write the start marker after it has sent the first event id. */
const LONGEST_START_MS = 500
const START_POLL_MS = 100

/**
 * Responds with the events of a call's stream after `from`.
 * @throws AppError `method_not_allowed` if there is nothing to resume: both official clients treat
 * 405 as final, while an empty stream makes them reconnect endlessly; `too_many_requests` or
 * `unavailable` if there are too many streams
 */
export async function resumeCall(
  deps: ResumeDeps,
  { id: mcpSessionId, sessionId, protocolVersion }: McpSessionRecord,
  from: CallEventId,
  { contexts: { tokenSession: owner, caller }, onClose, disconnect }: ResumeRequest,
): Promise<Response> {
  const key = callStreamKey(mcpSessionId, from.node, from.call)
  // Not when the stream ends: a client that does not read its end keeps its slot.
  onClose(deps.limits.stream(sessionId, 'resumed', caller))
  await checkReplayable(deps, key, from)
  const events = createEventStream(disconnect)
  // Repeats the last id in case this stream breaks as well: clients forget ids of earlier streams.
  if (takesEmptyEvents(protocolVersion)) events.prime(formatEventId(from))
  deps.openStreams.add(events, owner)
  replay(deps, key, from, events).catch((error: unknown) => {
    deps.log.warn({ err: error }, 'call resumption failed')
    events.end()
  })
  return events.response
}

type ResumeRequest = Pick<McpRequest, 'contexts' | 'onClose' | 'disconnect'>

/** Throws `method_not_allowed` if there is nothing to replay after `from`. */
async function checkReplayable(deps: ResumeDeps, key: string, from: CallEventId): Promise<void> {
  const isStarted = await hasStarted(deps, key, from)
  // Includes the client's last event: that may be the end.
  const rest = await readEntries(deps.streams, key, Math.max(from.sequence - 1, 0))
  const isOver = rest.some(
    ({ sequence, entry }) =>
      'end' in entry && (entry.end === 'cancelled' || sequence <= from.sequence),
  )
  if (!isStarted || isOver) {
    throw new AppError('method_not_allowed', 'There is nothing to resume.')
  }
}

/**
 * Whether the log has its start marker. The client gets its first event id before the store has the
 * entry and may reconnect first: polls for a moment, while the node that writes it is alive.
 */
async function hasStarted(
  { streams, node }: ResumeDeps,
  key: string,
  from: CallEventId,
): Promise<boolean> {
  for (let waited = 0; ; waited += START_POLL_MS) {
    const [first] = await readEntries(streams, key, 0, 1)
    if (first !== undefined) return true
    if (waited >= LONGEST_START_MS || !(await node.isAlive(from.node))) return false
    await delay(START_POLL_MS)
  }
}

async function replay(
  deps: ResumeDeps,
  key: string,
  from: CallEventId,
  events: EventStream,
): Promise<void> {
  const { node, notifier } = deps
  let wake = createSignal()
  const stopListening = notifier.on(key, () => wake.raise())
  events.onClose(() => wake.raise())
  let { sequence } = from
  try {
    for (;;) {
      wake = createSignal()
      for (const { sequence: next, entry } of await readEntries(deps.streams, key, sequence)) {
        if (events.isFull) break
        sequence = next
        const { message } = entry
        if (message !== undefined) events.write(message, formatEventId({ ...from, sequence }))
        if ('end' in entry) return
      }
      if (!events.isOpen) return
      if (events.isFull) {
        // Reads the rest again afterwards, rather than holding it for a client that may never read.
        await events.drained()
        continue
      }
      if (from.node !== node.id)
        await node.send(from.node, { kind: 'watch', stream: key, by: node.id })
      await Promise.race([wake.raised, delay(LIVENESS_CHECK_MS)])
      if (!(await node.isAlive(from.node))) await declareDead(deps, key, sequence)
    }
  } finally {
    stopListening()
    events.end()
  }
}

/** Ends a call whose node died. Using the next sequence number fences a node that was just slow. */
async function declareDead(
  { streams, log }: ResumeDeps,
  key: string,
  sequence: number,
): Promise<void> {
  const entries = await readEntries(streams, key, 0)
  const requestId = entries.find(({ entry }) => entry.requestId !== undefined)?.entry.requestId
  if (requestId === undefined) return
  const end: CallEnd = { end: 'answered', message: lostAnswer(requestId) }
  const options = { ...CALL_STREAM_BOUNDS, sequence: sequence + 1 }
  if ((await streams.append(key, JSON.stringify(end), options)) === undefined) return
  log.warn('call lost with its node')
}

async function readEntries(streams: Streams, key: string, after: number, limit?: number) {
  const entries = await streams.read(key, `0-${after}`, limit)
  return entries.map(({ id, value }) => ({
    sequence: Number(id.split('-')[1]),
    entry: JSON.parse(value) as CallEntry,
  }))
}

function createSignal() {
  let raise!: () => void
  const raised = new Promise<void>((resolve) => {
    raise = resolve
  })
  return { raised, raise }
}
