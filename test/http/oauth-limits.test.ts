/** Limits in front of the authorization server, before a plain handler that reads its bodies. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createClient } from 'redis'
import { afterEach, describe, expect, it } from 'vitest'
import { createOAuthLimits } from '../../src/http/oauth-limits.ts'
import { listen } from '../../src/http/server.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'
import { recordingLogger } from '../logger/lines.ts'
import { connectedStore } from '../store/redis-stores.ts'
import { failingStore } from '../support/failing-store.ts'
import { startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

interface Bench {
  readonly store?: Store
  readonly rateLimit?: boolean
}

/** A server with one proxy in front, so that a test can come from many addresses. */
async function start({ store = createMemoryStore(), rateLimit = true }: Bench = {}) {
  const { log, lines } = recordingLogger()
  const bodies: number[] = []
  const limits = createOAuthLimits({ store, log }, { rateLimit, trustedProxies: 1 })
  const handler = limits(async (request: IncomingMessage, response: ServerResponse) => {
    let size = 0
    for await (const chunk of request) size += chunk.length
    bodies.push(size)
    response.writeHead(201).end()
  })
  const server = createServer((request, response) => void handler(request, response))
  const port = await listen(server, '127.0.0.1', 0)
  closing.push(
    () => server.closeAllConnections(),
    () => server.close(),
  )
  const send = (path: string, address: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      body: '{}',
      ...init,
      headers: { 'x-forwarded-for': address },
    })
  return { send, lines, bodies }
}

async function statuses(
  times: number,
  send: (index: number) => Promise<Response>,
): Promise<number[]> {
  const answers = await Promise.all(Array.from({ length: times }, (_, index) => send(index)))
  await Promise.all(answers.map((answer) => answer.arrayBuffer()))
  return answers.map(({ status }) => status)
}

const served = (all: readonly number[]) => all.filter((status) => status === 201).length

describe('registrations', () => {
  it('are 20 a minute for an address; others go on', async () => {
    const { send, lines } = await start()
    const all = await statuses(30, () => send('/register', '192.0.2.1'))
    expect(served(all)).toBe(20)
    expect(all.filter((status) => status === 429)).toHaveLength(10)
    expect((await send('/register', '192.0.2.2')).status).toBe(201)
    expect(lines().filter(({ level }) => level === 'warn')).toHaveLength(1)
    expect(JSON.stringify(lines())).not.toContain('192.0.2.1')
  })

  it('are refused in the form of OAuth, with the time to wait', async () => {
    const { send } = await start()
    await statuses(20, () => send('/register', '192.0.2.1'))
    const refused = await send('/register', '192.0.2.1')
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('60')
    expect(refused.headers.get('cache-control')).toBe('no-store')
    expect(await refused.json()).toEqual({
      error: 'temporarily_unavailable',
      error_description: expect.any(String),
    })
  })

  it('are served again a minute later', async () => {
    let time = 1_800_000_000_000
    const { send } = await start({ store: createMemoryStore({ now: () => time }) })
    await statuses(30, () => send('/register', '192.0.2.1'))
    time += 59_999
    expect((await send('/register', '192.0.2.1')).status).toBe(429)
    time += 1
    expect((await send('/register', '192.0.2.1')).status).toBe(201)
  })

  it('do not use up what the other endpoints may, nor the other way round', async () => {
    const { send } = await start()
    expect(served(await statuses(100, () => send('/token', '192.0.2.1')))).toBe(100)
    expect(served(await statuses(30, () => send('/register', '192.0.2.1')))).toBe(20)
    expect((await send('/revoke?x', '192.0.2.1')).status).toBe(201)
  })

  it('are counted for a whole IPv6 network, which one host may have', async () => {
    const { send } = await start()
    const all = await statuses(30, (host) => send('/register', `2001:db8:1:2::${host}`))
    expect(served(all)).toBe(20)
    expect((await send('/register', '2001:db8:1:3::1')).status).toBe(201)
  })

  it('are not counted for what the caller wrote to the left', async () => {
    const { send } = await start()
    const all = await statuses(30, (forged) => send('/register', `10.0.0.${forged}, 192.0.2.1`))
    expect(served(all)).toBe(20)
  })

  it('are not counted when a browser only asks whether it may', async () => {
    const { send } = await start()
    const ask = { method: 'OPTIONS', body: null }
    expect(served(await statuses(30, () => send('/register', '192.0.2.1', ask)))).toBe(30)
  })

  it('are not counted when limits are off, nor elsewhere', async () => {
    const off = await start({ rateLimit: false })
    expect(served(await statuses(30, () => off.send('/register', '192.0.2.1')))).toBe(30)
    const on = await start()
    expect(served(await statuses(30, () => on.send('/registered', '192.0.2.1')))).toBe(30)
  })
})

describe('tokens', () => {
  it('are asked for 600 times a minute at most', async () => {
    const { send } = await start()
    const all: number[] = []
    for (let round = 0; round < 13; round += 1) {
      all.push(...(await statuses(50, () => send('/token', '192.0.2.1'))))
    }
    expect(served(all)).toBe(600)
  })

  it('are not refused for good when the store is away', async () => {
    const store = failingStore()
    const { send } = await start({ store })
    store.takeAway()
    const answer = await send('/token', '192.0.2.1')
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(await answer.json()).toMatchObject({ error: 'temporarily_unavailable' })
  })
})

describe('bodies', () => {
  /** Of a length that nobody tells beforehand. */
  const chunked = (bytes: number, piece = 16 * 1024) => {
    let left = bytes
    const body = new ReadableStream({
      pull(controller) {
        const size = Math.min(piece, left)
        left -= size
        controller.enqueue(new Uint8Array(size))
        if (left === 0) controller.close()
      },
    })
    return { body, duplex: 'half' } as RequestInit
  }

  it.each([
    ['of a told length', () => ({ body: 'x'.repeat(64 * 1024) })],
    ['in chunks', () => chunked(64 * 1024)],
  ])('of 64 KB are read: %s', async (_, init) => {
    const { send, bodies } = await start()
    expect((await send('/token', '192.0.2.1', init())).status).toBe(201)
    expect(bodies).toEqual([64 * 1024])
  })

  it.each([
    ['of a told length', () => ({ body: 'x'.repeat(64 * 1024 + 1) })],
    ['in chunks', () => chunked(64 * 1024 + 1)],
    ['in one chunk', () => chunked(300 * 1024, 300 * 1024)],
  ])('of more are refused, and nobody gets the first part for the whole: %s', async (_, init) => {
    const { send, bodies } = await start()
    const answer = await send('/token', '192.0.2.1', init())
    expect(answer.status).toBe(413)
    expect(await answer.json()).toMatchObject({ error: 'invalid_request' })
    expect((await send('/token', '192.0.2.1')).status).toBe(201)
    expect(bodies).toEqual([2])
  })

  it('without end are cut off', async () => {
    const { send, bodies } = await start()
    let sent = 0
    const endless = new ReadableStream({
      pull(controller) {
        sent += 64 * 1024
        controller.enqueue(new Uint8Array(64 * 1024))
      },
    })
    const init = { body: endless, duplex: 'half' } as RequestInit
    // Refused or cut off: what comes first is up to the client.
    await send('/token', '192.0.2.1', init).catch(() => undefined)
    expect(sent).toBeLessThan(100 * 1024 * 1024)
    expect(bodies).toEqual([])
  })
})

describeRedis('plain', 'a flood of registrations, on Redis', () => {
  it('is refused but for a few, leaves one key that expires, and others are served', async () => {
    const redis = await startRedis('plain')
    const [one, other] = [await connectedStore(redis.url), await connectedStore(redis.url)]
    const client = await createClient({ url: redis.url }).connect()
    closing.push(() => client.destroy(), one.close, other.close, redis.stop)
    const nodes = [await start({ store: one }), await start({ store: other })] as const
    const all = await statuses(300, (turn) =>
      nodes[turn % 2 === 0 ? 0 : 1].send('/register', '192.0.2.1'),
    )
    expect(served(all)).toBe(20)
    expect(all.filter((status) => status === 429)).toHaveLength(280)
    expect((await nodes[0].send('/register', '192.0.2.2')).status).toBe(201)
    const keys = await client.keys('*')
    expect(keys).toHaveLength(2)
    for (const key of keys) {
      expect(await client.ttl(key)).toBeGreaterThan(0)
      expect(key).not.toContain('192.0.2')
    }
  })
})
