/** Limits in front of the authorization server, before a plain handler. */

import { createServer } from 'node:http'
import { createClient } from '@redis/client'
import { afterEach, describe, expect, it } from 'vitest'
import { listen } from '../../src/http/http-server.ts'
import { writeOAuthError } from '../../src/http/oauth/oauth-error.ts'
import { limitOAuthRate } from '../../src/http/oauth/oauth-rate-limit.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'
import { createRateLimits } from '../../src/store/rate-limits.ts'
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
  readonly countsThisMachine?: boolean
  readonly monotonicNow?: () => number
}

/** A server with one proxy in front, so that a test can come from many addresses. */
async function start(bench: Bench = {}) {
  const { store = createMemoryStore(), rateLimit = true, countsThisMachine = true } = bench
  const { monotonicNow = () => performance.now() } = bench
  const { log, lines } = recordingLogger()
  const limits = createRateLimits({ store, log, monotonicNow }, { rateLimit })
  const limited = limitOAuthRate(limits, { trustedProxies: 1, countsThisMachine })
  const handler = limited(async (_, response) => void response.writeHead(201).end())
  const server = createServer((request, response) => {
    void (async () => handler(request, response))().catch((error: unknown) =>
      writeOAuthError(response, error),
    )
  })
  const port = await listen(server, '127.0.0.1', 0)
  closing.push(
    limits.close,
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
  return { send, lines }
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
  it('are limited to 20 a minute per address; other addresses are served', async () => {
    const { send, lines } = await start()
    const all = await statuses(30, () => send('/register', '192.0.2.1'))
    expect(served(all)).toBe(20)
    expect(all.filter((status) => status === 429)).toHaveLength(10)
    expect((await send('/register', '192.0.2.2')).status).toBe(201)
    expect(lines().filter(({ level }) => level === 'warn')).toHaveLength(1)
    expect(JSON.stringify(lines())).not.toContain('192.0.2.1')
  })

  it('of many addresses leave one log line per window', async () => {
    let time = 1_800_000_000_000
    const now = () => time
    const { send, lines } = await start({ store: createMemoryStore({ now }), monotonicNow: now })
    const warnings = () => lines().filter(({ level }) => level === 'warn')
    for (const host of [1, 2, 3]) await statuses(21, () => send('/register', `192.0.2.${host}`))
    expect(warnings()).toMatchObject([{ limit: 'register' }])
    time += 60_000
    await statuses(21, () => send('/register', '192.0.2.4'))
    expect(warnings()).toHaveLength(2)
  })

  it('are refused with an OAuth error, with the time to wait', async () => {
    const { send } = await start()
    await statuses(20, () => send('/register', '192.0.2.1'))
    const refused = await send('/register', '192.0.2.1')
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50)
    expect(refused.headers.get('cache-control')).toBe('no-store')
    expect(await refused.json()).toEqual({
      error: 'temporarily_unavailable',
      error_description: expect.any(String),
    })
  })

  it('are served again a minute later', async () => {
    let time = 1_800_000_000_000
    const now = () => time
    const { send } = await start({ store: createMemoryStore({ now }), monotonicNow: now })
    await statuses(30, () => send('/register', '192.0.2.1'))
    time += 40_500
    const early = await send('/register', '192.0.2.1')
    expect([early.status, early.headers.get('retry-after')]).toEqual([429, '20'])
    time += 19_499
    const late = await send('/register', '192.0.2.1')
    expect([late.status, late.headers.get('retry-after')]).toEqual([429, '1'])
    time += 1
    expect((await send('/register', '192.0.2.1')).status).toBe(201)
  })

  it('do not use up the limits of other endpoints, nor vice versa', async () => {
    const { send } = await start()
    expect(served(await statuses(100, () => send('/token', '192.0.2.1')))).toBe(100)
    expect(served(await statuses(30, () => send('/register', '192.0.2.1')))).toBe(20)
    expect((await send('/revoke?x', '192.0.2.1')).status).toBe(201)
  })

  it('are counted for all IPv6 networks of one site together', async () => {
    const { send } = await start()
    const all = await statuses(30, (host) => send('/register', `2001:db8:1:2${host % 9}::${host}`))
    expect(served(all)).toBe(20)
    expect((await send('/register', '2001:db8:1:122::1')).status).toBe(201)
  })

  it('are counted for the address that the proxy appended, whatever the caller sends', async () => {
    const { send } = await start()
    const all = await statuses(30, (forged) => send('/register', `10.0.0.${forged}, 192.0.2.1`))
    expect(served(all)).toBe(20)
  })

  it('are not counted for CORS preflights', async () => {
    const { send } = await start()
    const preflight = { method: 'OPTIONS', body: null }
    expect(served(await statuses(30, () => send('/register', '192.0.2.1', preflight)))).toBe(30)
  })

  it('have the remaining number and the time in headers', async () => {
    const time = 1_800_000_000_000
    const now = () => time
    const { send } = await start({ store: createMemoryStore({ now }), monotonicNow: now })
    const said = ({ headers }: Response) => [
      headers.get('ratelimit-policy'),
      headers.get('ratelimit'),
    ]
    const policy = '"register";q=20;w=60'
    const first = said(await send('/register', '192.0.2.1'))
    expect(first).toEqual([policy, '"register";r=19;t=60'])
    await statuses(25, () => send('/register', '192.0.2.1'))
    expect(said(await send('/register', '192.0.2.1'))).toEqual([policy, '"register";r=0;t=60'])
  })

  it('of this machine are not counted if it is exempt', async () => {
    const { send } = await start({ countsThisMachine: false })
    for (const address of ['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1']) {
      expect(served(await statuses(30, () => send('/register', address)))).toBe(30)
    }
    expect(served(await statuses(30, () => send('/register', '192.0.2.1')))).toBe(20)
  })

  it('are not counted when limits are off, nor elsewhere', async () => {
    const off = await start({ rateLimit: false })
    expect(served(await statuses(30, () => off.send('/register', '192.0.2.1')))).toBe(30)
    const on = await start()
    expect(served(await statuses(30, () => on.send('/registered', '192.0.2.1')))).toBe(30)
  })
})

describe('tokens', () => {
  it('are limited to 600 requests a minute', async () => {
    const { send } = await start()
    const all: number[] = []
    for (let round = 0; round < 13; round += 1) {
      all.push(...(await statuses(50, () => send('/token', '192.0.2.1'))))
    }
    expect(served(all)).toBe(600)
  })

  it('are 503 while the store is unavailable', async () => {
    const store = failingStore()
    const { send } = await start({ store })
    store.disconnect()
    const answer = await send('/token', '192.0.2.1')
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(await answer.json()).toMatchObject({ error: 'temporarily_unavailable' })
  })
})

describeRedis('plain', 'a flood of registrations, on Redis', () => {
  it('is mostly refused, leaves one key that expires, and others are served', async () => {
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
    const keys = (await client.keys('*')).filter((key) => key !== 'mcp:{nodes}:form')
    expect(keys).toHaveLength(2)
    for (const key of keys) {
      expect(await client.ttl(key)).toBeGreaterThan(0)
      expect(key).not.toContain('192.0.2')
    }
  })
})
