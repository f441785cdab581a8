/**
 * Concurrency limits of one caller on a node: refused with a clear error, without effect on others.
 */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { probe } from '../fixtures/protocol/probe.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { type Listening, listen, listenTo } from '../support/event-reader.ts'
import { recordingStore } from '../support/recording-store.ts'
import { initializeSse, openSse, sendSse } from '../support/sse.ts'
import {
  type Answer,
  INITIALIZE,
  PROTOCOL_CATALOG,
  post,
  postModern,
  read,
  request,
} from '../support/wire.ts'

type Fields = Readonly<Record<string, string>>

/** The header of a caller at this address, as a proxy adds it. */
const at = (address: string): Fields => ({ 'x-forwarded-for': address })
const HERE = at('192.0.2.1')
const ELSEWHERE = at('192.0.2.2')
const LISTEN = { notifications: { toolsListChanged: true } }

let app: TestApp
let written: ReturnType<typeof recordingStore>['written']
const open: Listening[] = []
const held = new Set<string>()

/** A server with these limits, for the tests of one block. */
function withLimits(limits: Fields): void {
  beforeAll(async () => {
    const recorded = recordingStore()
    written = recorded.written
    const { store } = recorded
    // Rate limits are off: concurrency limits are independent of them.
    const env = { TRUSTED_PROXIES: '1', RATE_LIMIT: 'off', ...limits }
    app = await startApp({ catalogDirectory: PROTOCOL_CATALOG, store, env })
  })
  afterEach(async () => {
    for (const key of held) probe(key).release()
    for (const stream of open.splice(0)) {
      stream.close()
      await stream.ended
    }
  })
  afterAll(() => app.stop())
}

const initialize = (caller: Fields) => read(post(app.url, INITIALIZE, caller))

async function connect(caller = HERE): Promise<Fields> {
  const { headers } = await initialize(caller)
  return { ...caller, 'mcp-session-id': headers.get('mcp-session-id') ?? '' }
}

async function opened(opening: Promise<Listening>): Promise<Listening> {
  const stream = await opening
  open.push(stream)
  expect(stream.response.status).toBe(200)
  return stream
}

/** A tool that runs until it is released. */
const hold = (key: string) => {
  held.add(key)
  return { name: 'hold', arguments: { key } }
}

/** Resolves when the response has become a stream. */
const call = (key: string, headers: Fields) =>
  opened(
    listenTo((signal) => post(app.url, request('tools/call', hold(key), key), headers, signal)),
  )
const get = (headers: Fields) => opened(listen(`${app.url}/mcp`, headers))
const listenModern = (headers: Fields) =>
  opened(
    listenTo((signal) => postModern(app.url, 'subscriptions/listen', LISTEN, { headers, signal })),
  )
const callModern = (key: string, headers: Fields, signal?: AbortSignal) =>
  read(postModern(app.url, 'tools/call', hold(key), { headers, ...(signal && { signal }) }))

const ping = (headers: Fields) => read(post(app.url, request('ping', {}, 'ping'), headers))
const pingModern = (headers: Fields) =>
  read(postModern(app.url, 'server/discover', {}, { headers }))

/** Makes ten concurrent calls; returns how many of them were served. */
async function burst(headers: Fields, name: string) {
  const keys = Array.from({ length: 10 }, (_, index) => `${name}-${index}`)
  const answers = await Promise.all(
    keys.map((key) => post(app.url, request('tools/call', hold(key), key), headers)),
  )
  for (const key of keys) probe(key).release()
  const statuses = (await Promise.all(answers.map(read))).map(({ status }) => status)
  const count = (status: number) => statuses.filter((each) => each === status).length
  return { served: count(200), refused: count(429) }
}

function expectRefusal({ status, headers, message }: Answer, what: RegExp): void {
  expect([status, headers.get('retry-after')]).toEqual([429, expect.stringMatching(/^\d+$/)])
  expect(message.error).toMatchObject({ code: -32000, data: { code: 'too_many_requests' } })
  expect(message.error?.message).toMatch(what)
}

const STREAMS = /^Too many open streams: one caller may have 3 on a node\.$/
const CALLS = /^Too many running calls: one caller may have 2 on a node\.$/

describe('the streams of a caller are limited', () => {
  withLimits({ MAX_STREAMS: '3' })

  test('of all kinds of a session together, and more after one has ended', async () => {
    const headers = await connect()
    const stream = await get(headers)
    await call('one', headers)
    const answer = await call('two', headers)
    expectRefusal(await ping(headers), STREAMS)
    expect((await ping(await connect())).status).toBe(200)
    answer.close()
    await expect.poll(async () => (await ping(headers)).status).toBe(200)
    await call('three', headers)
    // A newer stream replaces the older one.
    await get(headers)
    expect(await stream.ended).toBe(true)
    expectRefusal(await ping(headers), STREAMS)
  })

  test('and resumed ones are counted', async () => {
    const { headers: opened, message } = await initialize(HERE)
    expect(message.result).toBeDefined()
    const id = opened.get('mcp-session-id') ?? ''
    const headers = { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' }
    const first = await call('resumed', headers)
    await first.until((event) => event.id !== undefined)
    const from = { ...headers, 'last-event-id': first.lastId ?? '' }
    await get(from)
    await get(from)
    const accept = 'text/event-stream'
    const refused = fetch(`${app.url}/mcp`, { headers: { accept, ...from } })
    expectRefusal(await read(refused), STREAMS)
  })

  test('of the 2026 era, identified by its address', async () => {
    const [first] = [await listenModern(HERE), await listenModern(HERE)]
    const running = callModern('modern', HERE)
    await probe('modern').started
    const refused = read(postModern(app.url, 'subscriptions/listen', LISTEN, { headers: HERE }))
    expectRefusal(await refused, STREAMS)
    expectRefusal(await pingModern(HERE), STREAMS)
    expect((await pingModern(ELSEWHERE)).status).toBe(200)
    await listenModern(ELSEWHERE)
    first.close()
    await expect.poll(async () => (await pingModern(HERE)).status).toBe(200)
    probe('modern').release()
    expect((await running).status).toBe(200)
  })

  test('even if they are opened concurrently', async () => {
    expect(await burst(await connect(), 'streams')).toEqual({ served: 3, refused: 7 })
  })
})

describe('the streams of a node are limited', () => {
  withLimits({ MAX_NODE_STREAMS: '3' })

  test('for all callers; calls are served', async () => {
    const headers = await connect()
    const stream = await get(headers)
    await opened(openSse(app.url))
    await listenModern(ELSEWHERE)
    const accept = 'text/event-stream'
    const other = await connect()
    for (const answer of [
      await read(fetch(`${app.url}/mcp`, { headers: { accept, ...other } })),
      await read(fetch(`${app.url}/sse`, { headers: { accept } })),
      await read(postModern(app.url, 'subscriptions/listen', LISTEN, { headers: HERE })),
    ]) {
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
      expect(answer.message.error).toMatchObject({ data: { code: 'unavailable' } })
    }
    expect((await ping(other)).status).toBe(200)
    expect((await pingModern(HERE)).status).toBe(200)
    await get(headers)
    expect(await stream.ended).toBe(true)
  })
})

describe('the running calls of a caller are limited', () => {
  withLimits({ MAX_CALLS: '2' })

  test('of a session, although their clients disconnected', async () => {
    const headers = await connect()
    for (const key of ['left-1', 'left-2']) (await call(key, headers)).close()
    expectRefusal(await ping(headers), CALLS)
    expect((await ping(await connect())).status).toBe(200)
    probe('left-1').release()
    await expect.poll(async () => (await ping(headers)).status).toBe(200)
  })

  test('of a session over the older transport', async () => {
    const { path } = await initializeSse(await opened(openSse(app.url)), [app.url])
    for (const key of ['sse-1', 'sse-2']) {
      await sendSse(app.url, path, request('tools/call', hold(key), key))
      await probe(key).started
    }
    expectRefusal(await read(sendSse(app.url, path, request('ping'))), CALLS)
    probe('sse-1').release()
    const again = async () => (await sendSse(app.url, path, request('ping'))).status
    await expect.poll(again).toBe(202)
  })

  test('of the 2026 era, identified by its address', async () => {
    const leave = new AbortController()
    const answers = [callModern('here-1', HERE), callModern('here-2', HERE, leave.signal)]
    await Promise.all([probe('here-1').started, probe('here-2').started])
    expectRefusal(await pingModern(HERE), CALLS)
    expect((await pingModern(ELSEWHERE)).status).toBe(200)
    // In this era disconnecting cancels.
    leave.abort()
    await expect(answers[1]).rejects.toThrow()
    await expect.poll(async () => (await pingModern(HERE)).status).toBe(200)
  })

  test('even if they arrive concurrently', async () => {
    expect(await burst(await connect(), 'calls')).toEqual({ served: 2, refused: 8 })
  })
})

describe('the MCP sessions of a caller are limited', () => {
  withLimits({ MAX_CONNECTIONS: '2' })

  test('by its address, until one of them has ended; a refused one leaves nothing in the store', async () => {
    const headers = await connect()
    await opened(openSse(app.url, undefined, HERE))
    const before = written.length
    const refusal = /^Too many live connections: one caller may have 2 on a node\.$/
    expectRefusal(await initialize(HERE), refusal)
    expectRefusal(await read(fetch(`${app.url}/sse`, { headers: HERE })), refusal)
    expect(written).toHaveLength(before)
    expect((await initialize(ELSEWHERE)).status).toBe(200)
    expect((await ping(headers)).status).toBe(200)
    await fetch(`${app.url}/mcp`, { method: 'DELETE', headers })
    await expect.poll(async () => (await initialize(HERE)).status).toBe(200)
    expectRefusal(await initialize(HERE), refusal)
  })
})
