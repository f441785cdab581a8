/** Unused MCP sessions without a token expire soon; used ones have the usual lifetime. */

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Listening, listenTo } from '../support/event-reader.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { openRedisAdmin, type RedisAdmin } from '../support/redis-admin.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { initializeSse, openSse, sendSse } from '../support/sse.ts'
import { connect, INITIALIZE, post, read, request } from '../support/wire.ts'

/** Long enough for the first use, or for several MCP sessions, on a busy machine. */
const UNUSED_SECONDS = 4
const GONE_MS = UNUSED_SECONDS * 1000 + 500
const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' }

describeRedis('plain', 'a connection without a token', () => {
  let cluster: OAuthNodes
  let redis: RedisAdmin
  const open: Listening[] = []
  beforeAll(async () => {
    cluster = await startOAuthNodes({ UNUSED_TTL: String(UNUSED_SECONDS), MAX_CONNECTIONS: '3' })
    redis = await openRedisAdmin(cluster.redis)
  })
  afterAll(async () => {
    for (const stream of open) stream.close()
    redis?.destroy()
    await cluster?.stop()
  })

  const ping = async (index: number, headers: Readonly<Record<string, string>>) =>
    (await read(post(cluster.urls[index] ?? '', request('ping'), headers))).status
  const keysOf = async () => (await redis.keys('*')).filter((key) => /:(conn|session)$/.test(key))

  test('that is unused expires, with its session; notifications do not count as use', async () => {
    const headers = await connect(cluster.urls[0])
    expect(await keysOf()).toHaveLength(2)
    for (let count = 0; count < 2; count += 1) {
      await delay(GONE_MS / 5)
      expect((await post(cluster.urls[1], INITIALIZED, headers)).status).toBe(202)
    }
    await delay((GONE_MS * 3) / 5)
    expect(await ping(1, headers)).toBe(404)
    expect(await keysOf()).toEqual([])
  })

  test('that was used once has the lifetime of a session', async () => {
    const headers = await connect(cluster.urls[0])
    expect((await post(cluster.urls[1], INITIALIZED, headers)).status).toBe(202)
    expect(await ping(2, headers)).toBe(200)
    for (const key of await keysOf()) {
      expect(await redis.at(key, (one) => one.ttl(key)), key).toBeGreaterThan(3000)
    }
    await delay(GONE_MS)
    expect(await ping(1, headers)).toBe(200)
    await fetch(`${cluster.urls[0]}/mcp`, { method: 'DELETE', headers })
  })

  test('stays valid while its stream is open, and expires once that is closed', async () => {
    const headers = await connect(cluster.urls[0])
    const stream = await listenTo((signal) =>
      fetch(`${cluster.urls[1]}/mcp`, {
        headers: { accept: 'text/event-stream', ...headers },
        signal,
      }),
    )
    expect(stream.response.status).toBe(200)
    await delay(2 * GONE_MS)
    expect(await keysOf()).toHaveLength(2)
    stream.close()
    await expect.poll(keysOf).toEqual([])
    expect(await ping(0, headers)).toBe(404)
  })

  test('may be used for the first time late, while its stream is open', async () => {
    const headers = await connect(cluster.urls[0])
    const get = { accept: 'text/event-stream', ...headers }
    const stream = await listenTo((signal) =>
      fetch(`${cluster.urls[1]}/mcp`, { headers: get, signal }),
    )
    await delay(GONE_MS)
    expect(await ping(2, headers)).toBe(200)
    stream.close()
    await delay(GONE_MS)
    expect(await ping(1, headers)).toBe(200)
    for (const key of await keysOf()) {
      expect(await redis.at(key, (one) => one.ttl(key)), key).toBeGreaterThan(3000)
    }
    await fetch(`${cluster.urls[0]}/mcp`, { method: 'DELETE', headers })
  })

  test('of HTTP+SSE: expires if its stream was closed at once, stays if it was used', async () => {
    const closed = await openSse(cluster.urls[0])
    const { data: path } = await closed.until(({ event }) => event === 'endpoint')
    closed.close()
    const used = await openSse(cluster.urls[0])
    open.push(used)
    const session = await initializeSse(used, [cluster.urls[1], cluster.urls[2]])
    expect((await sendSse(cluster.urls[1], session.path, request('ping'))).status).toBe(202)
    await delay(GONE_MS)
    expect((await sendSse(cluster.urls[1], path, request('ping'))).status).toBe(404)
    expect((await sendSse(cluster.urls[1], session.path, request('ping'))).status).toBe(202)
    expect(await keysOf()).toHaveLength(2)
  })

  test('does not count for its address after it has expired', async () => {
    const opened = async () => (await read(post(cluster.urls[2], INITIALIZE))).status
    expect([await opened(), await opened(), await opened(), await opened()]).toEqual([
      ...[200, 200, 200, 429],
    ])
    await expect.poll(opened).toBe(200)
  })
})
