/** MCP sessions without a token share the concurrency limits of their address. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { probe } from '../fixtures/protocol/probe.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { type Listening, listen, listenTo } from '../support/event-reader.ts'
import { initializeSse, openSse, sendSse } from '../support/sse.ts'
import { startTokenApp, type TokenApp } from '../support/token-app.ts'
import { INITIALIZE, PROTOCOL_CATALOG, post, read, request } from '../support/wire.ts'

const MOST = 2
/** The limit of one address for all its sessions together: that of two sessions. */
const MOST_OF_ADDRESS = 2 * MOST
const ENV = { TRUSTED_PROXIES: '1', RATE_LIMIT: 'off' }

type Fields = Readonly<Record<string, string>>
const at = (address: string): Fields => ({ 'x-forwarded-for': address })
/** Addresses of one IPv6 network. */
const here = (index: number) => at(`2001:db8::${index}:1`)
const ELSEWHERE = at('192.0.2.2')

let app: TestApp
const streams: Listening[] = []
const held = new Set<string>()
afterEach(async () => {
  for (const key of held) probe(key).release()
  held.clear()
  for (const stream of streams.splice(0)) {
    stream.close()
    await stream.ended
  }
})

const start = (limits: Fields) => {
  beforeAll(async () => {
    app = await startApp({ catalogDirectory: PROTOCOL_CATALOG, env: { ...ENV, ...limits } })
  })
  afterAll(() => app.stop())
}

async function connectFrom(caller: Fields): Promise<Fields> {
  const { headers } = await read(post(app.url, INITIALIZE, caller))
  return { ...caller, 'mcp-session-id': headers.get('mcp-session-id') ?? '' }
}

async function open(opening: Promise<Listening>): Promise<number> {
  const stream = await opening
  streams.push(stream)
  return stream.response.status
}

const get = async (caller: Fields) => open(listen(`${app.url}/mcp`, await connectFrom(caller)))
const ping = async (caller: Fields) =>
  (await read(post(app.url, request('ping'), await connectFrom(caller)))).status

async function call(caller: Fields, key: string): Promise<number> {
  held.add(key)
  const headers = await connectFrom(caller)
  const hold = request('tools/call', { name: 'hold', arguments: { key } }, key)
  return open(listenTo((signal) => post(app.url, hold, headers, signal)))
}

describe('streams', () => {
  start({ MAX_STREAMS: String(MOST) })

  it.each([
    ['GET on /mcp', get],
    ['/sse', (caller: Fields) => open(openSse(app.url, undefined, caller))],
    ['answers', (caller: Fields, index: number) => call(caller, `stream-${index}`)],
  ])('%s', async (_, act) => {
    for (let index = 0; index < MOST_OF_ADDRESS; index += 1) {
      expect(await act(here(index), index)).toBe(200)
    }
    expect(await act(here(7), 7)).toBe(429)
    expect(await ping(here(8))).toBe(429)
    expect(await act(ELSEWHERE, 9)).toBe(200)
    streams.shift()?.close()
    await expect.poll(() => ping(here(8))).toBe(200)
  })
})

describe('the stream of an MCP session that is requested from another address', () => {
  start({ MAX_STREAMS: String(MOST) })

  it('counts as before if the request is refused', async () => {
    for (let index = 0; index < MOST_OF_ADDRESS; index += 1)
      expect(await get(here(index))).toBe(200)
    const session = await connectFrom(ELSEWHERE)
    expect(await open(listen(`${app.url}/mcp`, session))).toBe(200)
    for (let round = 0; round < 3; round += 1) {
      expect(await open(listen(`${app.url}/mcp`, { ...session, ...here(7) }))).toBe(429)
    }
    for (let index = 1; index < MOST_OF_ADDRESS; index += 1) expect(await get(ELSEWHERE)).toBe(200)
    expect(await get(ELSEWHERE)).toBe(429)
  })
})

describe('/sse whose stream is refused', () => {
  start({ MAX_STREAMS: String(MOST), MAX_CONNECTIONS: String(MOST_OF_ADDRESS + 2) })

  it('leaves no MCP session that counts', async () => {
    for (let index = 0; index < MOST_OF_ADDRESS; index += 1) {
      expect(await open(openSse(app.url, undefined, here(index)))).toBe(200)
    }
    for (let round = 0; round < 5; round += 1) {
      expect(await open(openSse(app.url, undefined, here(7)))).toBe(429)
    }
    streams.shift()?.close()
    await expect.poll(() => open(openSse(app.url, undefined, here(8)))).toBe(200)
  })
})

describe('calls', () => {
  start({ MAX_CALLS: String(MOST) })

  it('on /mcp, whose clients disconnected', async () => {
    for (let index = 0; index < MOST_OF_ADDRESS; index += 1) {
      expect(await call(here(index), `call-${index}`)).toBe(200)
    }
    for (const stream of streams.splice(0)) stream.close()
    const refused = await read(post(app.url, request('ping'), await connectFrom(here(7))))
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
    expect(refused.message.error).toMatchObject({ data: { code: 'too_many_requests' } })
    expect(await ping(ELSEWHERE)).toBe(200)
    probe('call-0').release()
    await expect.poll(() => ping(here(8))).toBe(200)
  })

  it('of /sse', async () => {
    const send = async (index: number) => {
      const stream = await openSse(app.url, undefined, here(index))
      streams.push(stream)
      const { path } = await initializeSse(stream, [app.url])
      const key = `sse-${index}`
      held.add(key)
      const hold = request('tools/call', { name: 'hold', arguments: { key } }, key)
      return (await sendSse(app.url, path, hold, here(index))).status
    }
    for (let index = 0; index < MOST_OF_ADDRESS; index += 1) expect(await send(index)).toBe(202)
    expect(await send(7)).toBe(429)
  })
})

it('with a token each session has its own limit', async () => {
  const own = await startTokenApp({ env: { ...ENV, MAX_STREAMS: '1' } })
  const statuses: number[] = []
  for (const subject of ['ada', 'grace', 'edith', 'joan']) {
    const bearer = await (own as TokenApp).bearer({ subject, client: 'client-a' })
    const { headers } = await read(post(own.url, INITIALIZE, { ...bearer, ...here(1) }))
    const id = headers.get('mcp-session-id') ?? ''
    const get = { accept: 'text/event-stream', 'mcp-session-id': id, ...bearer, ...here(1) }
    statuses.push(
      await open(listenTo((signal) => fetch(`${own.url}/mcp`, { headers: get, signal }))),
    )
  }
  expect(statuses).toEqual([200, 200, 200, 200])
  for (const stream of streams.splice(0)) stream.close()
  await own.stop()
})
