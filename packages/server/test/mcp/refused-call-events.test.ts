/** Call events that the store does not accept at once: clients that resume get them later. */

import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { storeUnavailable } from '../../src/errors.ts'
import { createLogger } from '../../src/logger.ts'
import { createCallStreams } from '../../src/mcp/legacy/call-streams.ts'
import { type McpSessionRecord, mcpSessionKey } from '../../src/mcp/legacy/mcp-session-record.ts'
import type { ClusterNode } from '../../src/mcp/nodes/cluster-node.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { type Listening, listen, listenTo, responseTo } from '../support/event-reader.ts'
import { connect, PROTOCOL_CATALOG, post, read, request } from '../support/wire.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** The number of ends that are kept completely until the store accepts them. */
const MOST_WAITING = 100

let isFull = false
/** The delay with which the store accepts the start of a call. */
let beginMs = 0
/** Streams of calls that were written to while the store was full. */
const refused = new Set<string>()

/** Accepts only the first event of calls while it is full, like Redis; or delays events. */
function fillingStore(): Store {
  const store = createMemoryStore()
  const append: Store['streams']['append'] = async (key, value, options) => {
    if (isFull && key.includes(':call:') && options.sequence !== 1) {
      refused.add(key)
      throw storeUnavailable(new Error('OOM'))
    }
    if (key.includes(':call:')) await delay(beginMs)
    return store.streams.append(key, value, options)
  }
  return { ...store, streams: { ...store.streams, append } }
}

let nodes: TestApp[]
const open: Listening[] = []
beforeAll(async () => {
  const store = fillingStore()
  const options = { catalogDirectory: PROTOCOL_CATALOG, store }
  nodes = [await startApp(options), await startApp(options)]
})
afterEach(async () => {
  isFull = false
  beginMs = 0
  refused.clear()
  for (const stream of open.splice(0)) {
    stream.close()
    await stream.ended
  }
})
afterAll(async () => {
  for (const node of nodes) await node.stop()
})

/** Starts a call at the first node, and closes its stream; returns the headers to resume it. */
async function startAndDisconnect(
  call: ReturnType<typeof request>,
  headers: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const url = nodes[0]?.url ?? ''
  const stream = await listenTo((signal) => post(url, call, headers, signal))
  await stream.until(({ id }) => id !== undefined)
  stream.close()
  // Not the last event: on a busy machine that may be the response.
  return { ...headers, 'last-event-id': stream.events[0]?.id ?? '' }
}

async function resume(node: number, from: Record<string, string>): Promise<Listening> {
  const stream = await listen(`${nodes[node]?.url}/mcp`, from)
  open.push(stream)
  return stream
}

/** Long enough to disconnect, and to prepare the store, on a busy machine. */
const echo = (text: string, delayMs = 1500) =>
  request('tools/call', { name: 'echo', arguments: { text, delayMs } }, text)

test('a client that resumes before the call is stored gets no error', async () => {
  beginMs = 200
  const headers = await connect(nodes[0]?.url ?? '')
  const resumed = await resume(1, await startAndDisconnect(echo('early'), headers))
  expect(resumed.response.status).toBe(200)
  const { message } = await resumed.until(responseTo('early'))
  expect(message?.result).toMatchObject({ structuredContent: { text: 'early' } })
  expect(await resumed.ended).toBe(true)
})

test('a client that resumes a nonexistent call gets an error', async () => {
  const headers = await connect(nodes[0]?.url ?? '')
  const { 'last-event-id': id = '' } = await startAndDisconnect(echo('other'), headers)
  const never = id.replace(/\.\d+\.\d+$/, '.999.1')
  const stream = await resume(1, { ...headers, 'last-event-id': never })
  expect([id === never, stream.response.status]).toEqual([false, 405])
})

test.each([
  ['at the node that ran it', 0],
  ['at another node', 1],
])('the response arrives late, %s', async (_where, node) => {
  const headers = await connect(nodes[0]?.url ?? '')
  const from = await startAndDisconnect(echo('late'), headers)
  isFull = true
  const resumed = await resume(node, from)
  await expect.poll(() => refused.size).toBeGreaterThan(0)
  isFull = false
  const { message } = await resumed.until(responseTo('late'))
  expect(message?.result).toMatchObject({ structuredContent: { text: 'late' } })
  await resumed.ended
  const again = await resume(node, { ...headers, 'last-event-id': resumed.lastId ?? '' })
  expect(again.response.status).toBe(405)
})

test('a cancelled call ends late, and is not awaited', async () => {
  const headers = await connect(nodes[0]?.url ?? '')
  const from = await startAndDisconnect(echo('unwanted', 10_000), headers)
  isFull = true
  const resumed = await resume(1, from)
  const cancel = { method: 'notifications/cancelled', params: { requestId: 'unwanted' } }
  await read(post(nodes[0]?.url ?? '', { jsonrpc: '2.0', ...cancel }, headers))
  await expect.poll(() => refused.size).toBeGreaterThan(0)
  isFull = false
  await resumed.ended
  expect(resumed.messages).toEqual([])
  expect((await resume(1, from)).response.status).toBe(405)
})

test('of very many ends, some become errors', async () => {
  const store = fillingStore()
  await store.set(mcpSessionKey('con_x'), {}, 60)
  const { streams } = store
  const log = createLogger({ level: 'silent', name: 'test', version: '0', destination: 'stderr' })
  const node = { id: '0123456789ab', onMessage: () => undefined } as unknown as ClusterNode
  const notifier = { on: () => () => undefined, notify: () => undefined }
  const calls = createCallStreams({ node, streams, notifier, log })
  const mcpSession = { id: 'con_x', protocolVersion: '2025-11-25' } as McpSessionRecord
  isFull = true
  const answers = Array.from({ length: MOST_WAITING + 5 }, (_, index) => {
    const call = calls.open(mcpSession, index, () => undefined)
    const message = { jsonrpc: '2.0' as const, id: index, result: {} }
    call.end({ end: 'answered', message })
    return new WeakRef(message)
  })
  await expect.poll(() => refused.size).toBe(MOST_WAITING + 5)
  // Results may be large: those of lost ends are not kept in memory.
  const held = () => {
    collectGarbage()
    return answers.map((answer) => answer.deref() !== undefined)
  }
  await expect.poll(() => held().slice(MOST_WAITING)).not.toContain(true)
  expect(held().slice(0, MOST_WAITING)).not.toContain(false)
  isFull = false
  const ends = () =>
    Promise.all([...refused].map(async (key) => (await streams.read(key, '0-1'))[0]?.value))
  await expect.poll(ends).not.toContain(undefined)
  const lost = (await ends()).map((end) => end?.includes('-32603') === true)
  expect(lost.filter((each) => each)).toHaveLength(5)
  expect(lost.slice(0, MOST_WAITING)).not.toContain(true)
})
