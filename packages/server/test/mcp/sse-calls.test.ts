/**
 * Calls over HTTP+SSE between two servers in this process: recorded while they run, answered once.
 */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { storeUnavailable } from '../../src/errors.ts'
import { type McpSessionRecord, mcpSessionKey } from '../../src/mcp/legacy/mcp-session-record.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'
import { probe } from '../fixtures/protocol/probe.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { type Listening, responseTo } from '../support/event-reader.ts'
import { initializeSse, openSse, sendSse } from '../support/sse.ts'
import { PROTOCOL_CATALOG, request } from '../support/wire.ts'

const HEARTBEAT = '{nodes}:heartbeat:'

const memory = createMemoryStore()
const running = new Set<string>()
const nodes = new Set<string>()
let silenced: string | undefined
let lettersAreLost = false
let isFull = false
let refusals = 0

/** Shared by both servers; the heartbeats of one can be hidden. */
const store: Store = {
  ...memory,
  async set(key, value, ttlSeconds) {
    if (key.startsWith(HEARTBEAT)) nodes.add(key)
    if (key.includes(':running:')) running.add(key)
    if (key !== silenced) await memory.set(key, value, ttlSeconds)
  },
  streams: {
    ...memory.streams,
    async append(key, value, options) {
      if (lettersAreLost && key.startsWith('{nodes}:inbox:')) return '0-1'
      if (isFull && key.endsWith(':stream')) {
        refusals += 1
        throw storeUnavailable(new Error('OOM'))
      }
      return memory.streams.append(key, value, options)
    },
  },
  close: async () => undefined,
}

async function silence(node: number): Promise<void> {
  silenced = [...nodes][node] ?? expect.fail('no such node')
  await memory.delete(silenced)
}

const open: Listening[] = []
let [a, b]: TestApp[] = []
let [reading, calling] = ['', '']
beforeAll(async () => {
  a = await startApp({ catalogDirectory: PROTOCOL_CATALOG, store })
  b = await startApp({ catalogDirectory: PROTOCOL_CATALOG, store })
  ;[reading, calling] = [a.url, b.url]
})
afterEach(() => {
  silenced = undefined
  lettersAreLost = false
  isFull = false
  for (const stream of open.splice(0)) stream.close()
})
afterAll(async () => {
  await a?.stop()
  await b?.stop()
  await memory.close()
})

async function start() {
  const stream = await openSse(reading)
  open.push(stream)
  return initializeSse(stream, [reading, calling])
}

const hold = (key: string) => request('tools/call', { name: 'hold', arguments: { key } }, key)
const echo = (text: string) => request('tools/call', { name: 'echo', arguments: { text } }, text)

test('a call is recorded while it runs, and deleted with its response', async () => {
  const { stream, path, id } = await start()
  const calls = async () => (await memory.get<McpSessionRecord>(mcpSessionKey(id)))?.calls ?? {}
  running.clear()
  expect((await sendSse(calling, path, hold('sse-known'))).status).toBe(202)
  expect(Object.values(await calls())).toEqual(['sse-known'])
  expect(running.size).toBe(1)
  await probe('sse-known').started
  probe('sse-known').release()
  await stream.until(responseTo('sse-known'))
  await expect.poll(calls).toEqual({})
  for (const key of running) expect(await memory.get(key)).toBeUndefined()
})

test('a cancelled call is deleted, too', async () => {
  const { stream, path, id } = await start()
  running.clear()
  await sendSse(calling, path, hold('sse-cancelled'))
  await probe('sse-cancelled').started
  const params = { requestId: 'sse-cancelled' }
  await sendSse(reading, path, { jsonrpc: '2.0', method: 'notifications/cancelled', params })
  const left = async () => {
    const stored = await Promise.all([...running].map((key) => memory.get(key)))
    const mcpSession = await memory.get<McpSessionRecord>(mcpSessionKey(id))
    return [...stored.filter((each) => each !== undefined), ...Object.keys(mcpSession?.calls ?? {})]
  }
  await expect.poll(left).toEqual([])
  await sendSse(calling, path, echo('after'))
  await stream.until(responseTo('after'))
  expect(stream.messages.find((message) => message.id === 'sse-cancelled')).toBeUndefined()
})

test('the call of a node without heartbeats gets an error; its own response is dropped', async () => {
  const { stream, path } = await start()
  await sendSse(calling, path, hold('sse-late'))
  await probe('sse-late').started
  await silence(1)
  const { message } = await stream.until(responseTo('sse-late'))
  expect(message?.error).toMatchObject({ code: -32603 })
  probe('sse-late').release()
  await expect.poll(() => b?.lines.join('')).toContain('running call was declared lost')
  await sendSse(reading, path, echo('after'))
  await stream.until(responseTo('after'))
  expect(stream.messages.filter((each) => each.id === 'sse-late')).toHaveLength(1)
})

test('a stored response is found without a notification', async () => {
  const { stream, path } = await start()
  await sendSse(calling, path, hold('sse-untold'))
  await probe('sse-untold').started
  lettersAreLost = true
  probe('sse-untold').release()
  const { message } = await stream.until(responseTo('sse-untold'))
  expect(message?.result).toMatchObject({ structuredContent: { aborted: false } })
})

test('a response that the store refuses is written later', async () => {
  const { stream, path } = await start()
  await sendSse(calling, path, hold('sse-unwritten'))
  await probe('sse-unwritten').started
  isFull = true
  probe('sse-unwritten').release()
  await expect.poll(() => refusals).toBeGreaterThan(0)
  isFull = false
  const { message } = await stream.until(responseTo('sse-unwritten'))
  expect(message?.result).toMatchObject({ structuredContent: { aborted: false } })
})

test('a node does not treat itself as lost', async () => {
  const { stream, path } = await start()
  await sendSse(reading, path, hold('sse-own'))
  await sendSse(calling, path, hold('sse-other'))
  await silence(0)
  // Calls at the other node cause the check, which must not find the node's own calls.
  await new Promise((resolve) => setTimeout(resolve, 1500))
  for (const key of ['sse-own', 'sse-other']) probe(key).release()
  for (const key of ['sse-own', 'sse-other']) {
    const { message } = await stream.until(responseTo(key))
    expect(message?.result).toMatchObject({ structuredContent: { aborted: false } })
  }
})
