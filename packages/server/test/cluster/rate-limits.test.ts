/**
 * Rate limits on three nodes: counted together, by the clock of Redis, with few keys that expire.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectClient, connectClientV1, ERAS, errorFacts, structured } from '../support/clients.ts'
import { limitsIn } from '../support/rate-limits.ts'
import { openRedisAdmin, type RedisAdmin } from '../support/redis-admin.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { skewedClock } from '../support/skewed-clock.ts'
import { faultsIn, type ThreeNodes, useThreeNodes } from '../support/three-nodes.ts'
import { postModern, read } from '../support/wire.ts'

const ADDRESS = 30
const FLOOD = 300
const AT_ONCE = 30
const SKEW_MS = 120_000
/** That of the tool `sparing`. */
const WINDOW_MS = 3000

describeRedis('plain', 'on three nodes', () => {
  let cluster: ThreeNodes
  useThreeNodes(
    (started) => {
      cluster = started
    },
    {
      // Tests of addresses call the nodes directly, without the balancer.
      env: (index) => ({
        TRUSTED_PROXIES: '1',
        RATE_LIMIT_ADDRESS: String(ADDRESS),
        ...(index === 2 && skewedClock(SKEW_MS)),
      }),
    },
  )
  let admin: RedisAdmin
  beforeAll(async () => {
    admin = await openRedisAdmin(cluster.redis)
  })
  afterAll(() => admin?.destroy())

  const discover = (index: number, headers: Readonly<Record<string, string>>) =>
    read(postModern(cluster.urls[index % 3] ?? '', 'server/discover', {}, { headers }))

  test('an address has one limit on all nodes together', async () => {
    const headers = { 'x-forwarded-for': '192.0.2.1' }
    const answers = await Promise.all(
      Array.from({ length: 2 * ADDRESS }, (_, index) => discover(index, headers)),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(ADDRESS)
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(ADDRESS)
    // Also at the node with clock skew.
    for (const { headers: fields } of refused) {
      const seconds = Number(fields.get('retry-after'))
      expect(seconds).toBeGreaterThan(0)
      expect(seconds).toBeLessThanOrEqual(60)
      expect(limitsIn(fields)).toMatchObject([{ remaining: 0, secondsLeft: seconds }])
    }
    expect((await discover(0, { 'x-forwarded-for': '192.0.2.2' })).status).toBe(200)
  })

  test('a flood leaves few keys, which expire and identify nobody', async () => {
    for (let sent = 0; sent < FLOOD; sent += AT_ONCE) {
      const send = (_: unknown, index: number) =>
        discover(index, {
          'x-forwarded-for': '198.51.100.7',
          'mcp-session-id': `con_${String(sent + index).padStart(43, 'x')}`,
          authorization: index % 2 === 0 ? '' : `Bearer guess-${sent + index}`,
        })
      await Promise.all(Array.from({ length: AT_ONCE }, send))
    }
    const keys = await admin.keys('*rate:*')
    expect(keys.length).toBeLessThan(ADDRESS + 3 * AT_ONCE)
    for (const key of keys) {
      expect(key).not.toMatch(/198\.51|con_/)
      const leftMs = await admin.at(key, (one) => one.pTTL(key))
      expect(leftMs, key).not.toBe(-1)
      expect(leftMs, key).toBeLessThanOrEqual(60_000)
    }
  })

  test.each([
    ...ERAS.map(
      (era) => [era, async () => (await connectClient(cluster.url, era)).client] as const,
    ),
    ['v1', () => connectClientV1(cluster.url)] as const,
  ])('a tool has one limit on all nodes together, and its caller retries: %s', async (_, open) => {
    const client = await open()
    // The previous test used the same address: waits for the end of its window.
    await delay(WINDOW_MS)
    const call = async () => client.callTool({ name: 'sparing', arguments: {} })
    // Concurrently, so that they are in one window.
    const answers = await Promise.all([call(), call(), call(), call()])
    const served = answers.filter(({ isError }) => isError !== true)
    const pids = served.map((result) => structured<{ pid: number }>(result).pid)
    expect([pids.length, new Set(pids).size > 1]).toEqual([3, true])
    const refused = answers.map(errorFacts).find(({ code }) => code === 'too_many_requests')
    expect([1, 2, 3]).toContain(refused?.retryAfterSeconds)
    await delay(Number(refused?.retryAfterSeconds) * 1000)
    expect(errorFacts(await call()).code).toBeUndefined()
    await client.close()
  })

  test('no fault was logged', () => {
    expect(faultsIn(cluster.logs())).toEqual([])
  })
})
