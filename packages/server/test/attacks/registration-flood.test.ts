/**
 * A flood of 10,000 registrations: few are stored, all expire, and other clients at the address are
 * served.
 */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { createOAuthClient, postForm, register } from '../support/oauth-client.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { openRedisAdmin } from '../support/redis-admin.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { withToken } from '../support/token-app.ts'
import { postModern, read } from '../support/wire.ts'

const FLOOD = 10_000
const AT_ONCE = 100
/** Of one address in a minute. */
const MOST = 20
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

describeRedis('plain', 'on three nodes', () => {
  let cluster: OAuthNodes
  let minutes = 2
  beforeAll(async () => {
    cluster = await startOAuthNodes({ RATE_LIMIT: 'on', TRUSTED_PROXIES: '1' })
  })
  afterAll(() => cluster?.stop())

  const from = (address: string) => ({ 'x-forwarded-for': address })
  const registerAt = (index: number, address: string, name = `client ${index}`) =>
    register(cluster.urls[index % 3] ?? '', { client_name: name }, from(address))

  test('of one address are refused except for a few', { timeout: 400_000 }, async () => {
    // Authorized before the flood, from the same address: somebody in the same office.
    const neighbour = await createOAuthClient(cluster.url)
    const tokens = await neighbour.connect()
    const statuses = new Map<number, number>()
    const startedAt = performance.now()
    for (let sent = 0; sent < FLOOD; sent += AT_ONCE) {
      const batch = Array.from({ length: AT_ONCE }, (_, index) => registerAt(index, '192.0.2.1'))
      for (const { status } of await Promise.all(batch)) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    }
    expect([...statuses.keys()].sort()).toEqual([201, 429])
    // A flood may reach into further minutes.
    minutes = 1 + Math.ceil((performance.now() - startedAt) / MINUTE_MS)
    expect(statuses.get(201)).toBeLessThanOrEqual(minutes * MOST)

    const same = from('192.0.2.1')
    const headers = { ...withToken(tokens.access_token), ...same }
    expect((await read(postModern(cluster.url, 'tools/list', {}, { headers }))).status).toBe(200)
    const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }
    const form = { ...refresh, client_id: neighbour.id }
    expect((await postForm(`${cluster.urls[2]}/token`, form, same)).status).toBe(200)
    const { url } = neighbour.request()
    const asked = await fetch(url, { headers: same, redirect: 'manual' })
    expect(asked.status).toBe(303)
    expect((await registerAt(1, '192.0.2.2')).status).toBe(201)
  })

  test('of one address do not count for several because of forged headers', async () => {
    const forged = Array.from({ length: 60 }, (_, index) =>
      registerAt(index, `10.0.0.${index}, 198.51.100.7`),
    )
    const taken = (await Promise.all(forged)).filter(({ status }) => status === 201)
    expect(taken.length).toBeLessThanOrEqual(2 * MOST)
    expect(taken.length).toBeGreaterThan(0)
  })

  test('leave nothing permanent in the store', async () => {
    const redis = await openRedisAdmin(cluster.redis)
    const keys = await redis.keys('*')
    for (const key of keys) {
      const leftMs = await redis.at(key, (one) => one.pTTL(key))
      expect(leftMs, key).not.toBe(-1)
      if (key.includes(':Client:')) expect(leftMs).toBeLessThanOrEqual(90 * DAY_MS)
      if (key.includes('rate:')) expect(leftMs).toBeLessThanOrEqual(60_000)
    }
    const unused = keys.filter((key) => key.includes(':Client:'))
    expect(unused.length).toBeLessThan((minutes + 4) * MOST)
    redis.destroy()
  })

  test('no fault was logged', () => {
    const lines = cluster.nodes.flatMap((node) => node.lines)
    expect(lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([])
  })
})
