/** Replays to a client that reads slowly: each event once, in order, with bounded memory. */

import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { callStreamKey } from '../../src/mcp/legacy/call-streams.ts'
import {
  createEventStream,
  createOpenStreams,
  createStreamNotifier,
  type EventStream,
} from '../../src/mcp/legacy/event-stream.ts'
import { ownStreamKey, recordOf } from '../../src/mcp/legacy/mcp-session-record.ts'
import { resumeCall } from '../../src/mcp/legacy/resume-call.ts'
import { startSending } from '../../src/mcp/legacy/stream-sender.ts'
import { createLimits } from '../../src/mcp/limits.ts'
import { joinCluster } from '../../src/mcp/nodes/cluster-node.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { telemetry } from '../../src/testing/no-telemetry.ts'
import { recordingLogger } from '../../src/testing/recording-logger.ts'

const LARGE = 1_200_000
const BOUNDS = { maxLength: 10_000, maxBytes: 64_000_000, ttlSeconds: 60 }

const open: EventStream[] = []
afterEach(() => {
  for (const events of open.splice(0)) events.end()
})

async function start() {
  const store = createMemoryStore()
  const { streams } = store
  const { log, lines } = recordingLogger('warn')
  const monotonicNow = () => performance.now()
  const node = await joinCluster({ store, streams, log, monotonicNow })
  onTestFinished(async () => {
    await node.close()
    await store.close()
  })
  const mcpSession = { ...recordOf({ sessionId: 'ses_a', needsToken: false }), rev: 1 }
  return { store, streams, log, lines, node, mcpSession, notifier: createStreamNotifier(node) }
}

const message = (id: string, size = LARGE): JSONRPCMessage => ({
  ...{ jsonrpc: '2.0', id },
  result: { text: 'x'.repeat(size) },
})

/** Reads a body; the ids or methods of its messages. */
function readerOf({ body }: Response) {
  const reader = body?.getReader() ?? expect.fail('no body')
  const decoder = new TextDecoder()
  let text = ''
  const seen: unknown[] = []
  return {
    seen,
    /** Reads until there are `count` messages. */
    async read(count: number): Promise<readonly unknown[]> {
      while (seen.length < count) {
        const { value, done } = await reader.read()
        if (done) break
        const frames = (text + decoder.decode(value, { stream: true })).split('\n\n')
        text = frames.pop() ?? ''
        for (const frame of frames) {
          const data = /^data: (\{.*)$/m.exec(frame)?.[1]
          if (data === undefined) continue
          const { id, method } = JSON.parse(data)
          seen.push(id ?? method)
        }
      }
      return seen
    },
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
const settle = async () => {
  for (let turns = 0; turns < 20; turns += 1) await turn()
}

async function follow({
  streams,
  log,
  node,
  mcpSession,
  notifier,
}: Awaited<ReturnType<typeof start>>) {
  const mcpSessions = { retrieve: async () => mcpSession }
  const deps = { node, streams, notifier, mcpSessions, log }
  const events = createEventStream()
  open.push(events)
  const { stop } = await startSending(deps, { ...mcpSession, generation: 1 }, undefined, events, {})
  events.onClose(stop)
  return { events, ...readerOf(events.response) }
}

test('large results that wait for the stream of a session arrive one after the other', async () => {
  const parts = await start()
  const ids = ['a', 'b', 'c', 'd', 'e']
  const key = ownStreamKey(parts.mcpSession.id)
  for (const id of ids) await parts.streams.append(key, JSON.stringify(message(id)), BOUNDS)
  const { events, read } = await follow(parts)
  await settle()
  expect(events.isOpen).toBe(true)
  expect(await read(ids.length)).toEqual(ids)
  expect(events.isOpen).toBe(true)
})

test('what comes while a client does not read arrives later, whatever its number', async () => {
  const parts = await start()
  const { node, streams, notifier, mcpSession } = parts
  const key = ownStreamKey(mcpSession.id)
  const { events, read } = await follow(parts)
  const append = async (id: string, size?: number) => {
    await streams.append(key, JSON.stringify(message(id, size)), BOUNDS)
    notifier.notify(key)
    await turn()
  }
  for (const id of ['a', 'b', 'c']) await append(id)
  for (let count = 0; count < 3000; count += 1) await node.publish({ kind: 'tools_list_changed' })
  await append('d', 10)
  await settle()
  expect(events.isOpen).toBe(true)
  const seen = await read(4 + 3000)
  expect(seen.filter((each) => String(each).length === 1)).toEqual(['a', 'b', 'c', 'd'])
  expect(seen.filter((each) => each === 'notifications/tools/list_changed')).toHaveLength(3000)
  await node.publish({ kind: 'prompts_list_changed' })
  expect((await read(4 + 3001)).at(-1)).toBe('notifications/prompts/list_changed')
})

test('events after a failed read of the log are not lost', async () => {
  const parts = await start()
  const { node, streams, mcpSession, notifier } = parts
  let failures = 0
  const eventsAfter: typeof node.eventsAfter = async (after) => {
    if (failures === 0) return node.eventsAfter(after)
    failures -= 1
    throw new Error('The store is unavailable')
  }
  const followed = await follow({ ...parts, node: { ...node, eventsAfter } })
  const key = ownStreamKey(mcpSession.id)
  for (const id of ['a', 'b']) await streams.append(key, JSON.stringify(message(id)), BOUNDS)
  notifier.notify(key)
  await turn()
  failures = 1
  await node.publish({ kind: 'tools_list_changed' })
  await turn()
  await turn()
  expect((await followed.read(3)).toSorted()).toEqual([
    'a',
    'b',
    'notifications/tools/list_changed',
  ])
  expect(failures).toBe(0)
})

test('change events are not queued while a large result waits for its reader', async () => {
  const parts = await start()
  const { node, streams, mcpSession } = parts
  const key = ownStreamKey(mcpSession.id)
  for (const id of ['a', 'b', 'c']) {
    await streams.append(key, JSON.stringify(message(id, 700_000)), BOUNDS)
  }
  let reads = 0
  const eventsAfter: typeof node.eventsAfter = (after) => {
    reads += 1
    return node.eventsAfter(after)
  }
  const { events, read } = await follow({ ...parts, node: { ...node, eventsAfter } })
  await settle()
  // The buffer is below the limit then, and the third result still waits for its end.
  await read(1)
  expect(events.isFull).toBe(false)
  reads = 0
  for (let count = 0; count < 50; count += 1) await node.publish({ kind: 'tools_list_changed' })
  await settle()
  expect((await read(3 + 50)).slice(0, 3)).toEqual(['a', 'b', 'c'])
  expect(reads).toBe(1)
})

test('the replay of a call waits for its reader, and keeps its slot until it is sent', async () => {
  const parts = await start()
  const { node, streams, notifier, log, mcpSession } = parts
  const limits = createLimits(
    { maxStreams: 1, maxNodeStreams: 10, maxCalls: 10, maxConnections: 10 },
    telemetry.metrics,
  )
  const key = callStreamKey(mcpSession.id, node.id, 1)
  const log1 = (name: string) => ({
    jsonrpc: '2.0',
    method: name,
    params: { x: 'x'.repeat(LARGE) },
  })
  const entries = [
    { requestId: 'call' },
    ...['a', 'b', 'c'].map((name) => ({ message: log1(name) })),
    { end: 'answered', message: message('call') },
  ]
  for (const [index, entry] of entries.entries()) {
    await streams.append(key, JSON.stringify(entry), { ...BOUNDS, sequence: index + 1 })
  }
  const closing: (() => void)[] = []
  const watched = { watch: () => () => undefined, onEnd: () => () => undefined }
  const openStreams = createOpenStreams(watched as never)
  const response = await resumeCall(
    { node, streams, notifier, limits, openStreams, log },
    mcpSession,
    { kind: 'call', node: node.id, call: 1, sequence: 1 },
    {
      contexts: { tokenSession: undefined, caller: '192.0.2.1' } as never,
      onClose: (listener) => void closing.push(listener),
      disconnect: () => expect.fail('the client reads'),
    },
  )
  await settle()
  expect(await readerOf(response).read(4)).toEqual(['a', 'b', 'c', 'call'])
  expect(() => limits.stream('ses_a', 'resumed')).toThrow('Too many open streams')
  for (const close of closing) close()
  limits.stream('ses_a', 'resumed')()
})
