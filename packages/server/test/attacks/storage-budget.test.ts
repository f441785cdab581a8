/**
 * The storage budget of unauthenticated callers: bytes per address and minute, on all nodes
 * together.
 */

import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { type Listening, listen } from '../support/event-reader.ts'
import { createOAuthClient, type OAuthClient, postForm, register } from '../support/oauth-client.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { openRedisAdmin, type RedisAdmin } from '../support/redis-admin.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { sendSse } from '../support/sse.ts'
import { withToken } from '../support/token-app.ts'
import { INITIALIZE, post, postModern, read, request } from '../support/wire.ts'

const BUDGET = 64 * 1024
const ENV = { RATE_LIMIT: 'on', TRUSTED_PROXIES: '1', RATE_LIMIT_STORED_BYTES: String(BUDGET) }

type Fields = Readonly<Record<string, string>>
const from = (address: string): Fields => ({ 'x-forwarded-for': address })

type Stored = ReadonlyMap<string, number>

/** The bytes of each key, except counters and messages between nodes. */
async function storedBytes(redis: RedisAdmin): Promise<Stored> {
  const keys = (await redis.keys('*')).filter((key) => !/:count:|\{nodes\}/.test(key))
  const size = (key: string) => redis.at(key, (one) => one.memoryUsage(key))
  return new Map(await Promise.all(keys.map(async (key) => [key, (await size(key)) ?? 0] as const)))
}

/** The bytes that were added; keys of earlier tests may expire meanwhile. */
function added(before: Stored, after: Stored): number {
  const grown = [...after].map(([key, bytes]) => bytes - (before.get(key) ?? 0))
  return grown.reduce((sum, bytes) => sum + bytes, 0)
}

describeRedis('plain', 'a stranger has stored no more than its budget', () => {
  let cluster: OAuthNodes
  let redis: RedisAdmin
  let client: OAuthClient
  const open: Listening[] = []
  beforeAll(async () => {
    cluster = await startOAuthNodes(ENV)
    redis = await openRedisAdmin(cluster.redis)
    client = await createOAuthClient(cluster.url)
  })
  afterAll(async () => {
    for (const stream of open) stream.close()
    redis?.destroy()
    await cluster?.stop()
  })

  const url = (index: number) => cluster.urls[index % 3] ?? ''
  const capabilities = { experimental: { 'x-long': { text: 'ä'.repeat(2000) } } }
  const long = { ...INITIALIZE, params: { ...INITIALIZE.params, capabilities } }

  const kinds: Record<string, (index: number, headers: Fields) => Promise<Response>> = {
    'an `initialize`': (index, headers) => post(url(index), INITIALIZE, headers),
    'an `initialize` with long capabilities': (index, headers) => post(url(index), long, headers),
    async 'an HTTP+SSE session'(index, headers) {
      const stream = await listen(`${url(index)}/sse`, headers)
      open.push(stream)
      return stream.response
    },
    async 'an answer to an HTTP+SSE session'(index, headers) {
      const stream = await listen(`${url(index)}/sse`, headers)
      open.push(stream)
      if (stream.response.status !== 200) return stream.response
      const { data } = await stream.until(({ event }) => event === 'endpoint')
      await sendSse(url(index), data, INITIALIZE, headers)
      return sendSse(url(index), data, request('tools/list'), headers)
    },
    'a registration': (index, headers) =>
      fetch(`${url(index)}/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({
          client_name: 'ä'.repeat(5000),
          redirect_uris: ['http://127.0.0.1:33418/callback'],
          token_endpoint_auth_method: 'none',
        }),
      }),
    'an authorization': (index, headers) => {
      const { search } = client.request({ state: 's'.repeat(1000) }).url
      return fetch(`${url(index)}/authorize${search}`, { headers, redirect: 'manual' })
    },
  }

  test.each(Object.keys(kinds))('%s', async (kind) => {
    const act = kinds[kind] ?? expect.fail()
    const index = Object.keys(kinds).indexOf(kind)
    // Addresses of one IPv6 network share one budget.
    const here = (count: number) => from(`2001:db8:${index}::${count.toString(16)}:1`)
    const before = await storedBytes(redis)
    let served = 0
    let refused: Response | undefined
    for (; refused === undefined && served < 300; served += 1) {
      const response = await act(served, here(served))
      if (response.status === 429) refused = response
      else expect([200, 201, 202, 303]).toContain(response.status)
    }
    expect(refused?.status, `${served} were served`).toBe(429)
    const seconds = Number(refused?.headers.get('retry-after'))
    expect(seconds).toBeGreaterThan(0)
    expect(seconds).toBeLessThanOrEqual(60)
    const stored = added(before, await storedBytes(redis))
    expect(stored).toBeLessThan(1.2 * BUDGET)
    // It was not refused too early.
    expect(stored).toBeGreaterThan(BUDGET / 4)
    const statuses = await Promise.all([0, 1, 2].map((node) => act(node, here(node))))
    expect(statuses.map(({ status }) => status)).toEqual([429, 429, 429])
    expect(added(before, await storedBytes(redis))).toBe(stored)
    const elsewhere = await act(0, from(`2001:db8:ff${index}::1`))
    expect([200, 201, 202, 303]).toContain(elsewhere.status)
  })

  test('a sign-in link: the tool returns the time to retry', async () => {
    const here = from('192.0.2.77')
    let error: Readonly<Record<string, unknown>> | undefined
    for (let count = 0; error === undefined && count < 300; count += 1) {
      const call = { name: 'login', arguments: {} }
      const { status, message } = await read(
        postModern(url(count), 'tools/call', call, { headers: here }),
      )
      expect(status).toBe(200)
      const { isError, _meta } = message.result as { isError?: boolean; _meta: object }
      if (isError) error = Object.values(_meta).find((value) => value?.code !== undefined)
    }
    expect(error).toMatchObject({ code: 'too_many_requests' })
    expect(Number(error?.retryAfterSeconds)).toBeGreaterThan(0)
  })

  test('an authorized client is not affected', async () => {
    const neighbour = await createOAuthClient(cluster.url)
    const tokens = await neighbour.connect()
    const here = from('192.0.2.88')
    for (let status = 0, count = 0; status !== 429; count += 1) {
      status = (await post(url(count), long, here)).status
    }
    const headers = { ...withToken(tokens.access_token), ...here }
    expect((await read(post(url(0), long, headers))).status).toBe(200)
    const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }
    const form = { ...refresh, client_id: neighbour.id }
    expect((await postForm(`${url(1)}/token`, form, here)).status).toBe(200)
    expect((await register(url(2), {}, here)).status).toBe(429)
  })

  test('no fault was logged', () => {
    const lines = cluster.nodes.flatMap((node) => node.lines)
    expect(lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([])
  })
})

describe('with a store in memory', () => {
  const flood = async (env: Fields) => {
    const app = await startApp({ env: { ...ENV, ...env } })
    const statuses = new Set<number>()
    for (let count = 0; count < 120; count += 1) {
      statuses.add((await read(post(app.url, INITIALIZE, from('192.0.2.1')))).status)
    }
    await app.stop()
    return [...statuses]
  }

  it('the budget is the same', async () => {
    expect(await flood({})).toEqual([200, 429])
  })

  it('nothing is refused if nothing is counted', async () => {
    expect(await flood({ RATE_LIMIT: 'off' })).toEqual([200])
  })
})
