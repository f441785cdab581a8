/**
 * Sessions and tokens survive a migration of the store: to Sentinels, to another server, to a Redis
 * Cluster.
 */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import {
  openedSession,
  remember,
  rememberIn,
  serviceOwner,
  sessionOf,
  signIn,
} from '../support/authorize-again.ts'
import { untilReady } from '../support/cluster.ts'
import { untilReplicated } from '../support/cluster-events.ts'
import { freePort } from '../support/free-port.ts'
import { createOAuthClient, type OAuthClient, type Tokens } from '../support/oauth-client.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'
import { sendToRedis, until } from '../support/redis-commands.ts'
import { watchWithSentinels } from '../support/redis-sentinels.ts'
import { describeOwnRedis } from '../support/redis-suite.ts'
import { CLUSTER_CATALOG } from '../support/three-nodes.ts'

const LONG = { timeout: 180_000 }

describeOwnRedis('a store that moves', () => {
  let old: RedisServer
  let ports: readonly [number, number]
  let nodes: TestApp[]
  let client: OAuthClient
  let before: Awaited<ReturnType<typeof openedSession>>

  const urls = () => ports.map((port) => `http://localhost:${port}`) as [string, string]

  async function start(at: 0 | 1, redisUrl: string): Promise<void> {
    const [PUBLIC_URL] = urls()
    const own = { MASK_MCP_PORT: String(ports[at]), REDIS_URL: redisUrl, PUBLIC_URL }
    nodes[at] = await startApp({
      env: { ...own, RATE_LIMIT: 'off', STORE_TIMEOUT_MS: '5000' },
      catalogDirectory: CLUSTER_CATALOG,
    })
    await untilReady(ports[at])
  }

  const startAll = async (redisUrl: string) =>
    void (await Promise.all([start(0, redisUrl), start(1, redisUrl)]))
  const stopAll = async () => void (await Promise.all(nodes.map((node) => node.stop())))

  beforeEach(async () => {
    nodes = []
    ports = [await freePort(), await freePort()]
    old = await startRedis('plain')
    await startAll(old.url)
    client = await createOAuthClient(urls()[0], { nodes: urls() })
    before = await openedSession(urls(), client, { params: {} })
    await signIn(urls()[0], before.tokens, before.browser)
  })
  afterEach(async () => {
    await stopAll()
    await old.stop()
  })

  /** The session from before, by its token, its MCP session and its refresh token, is complete. */
  async function expectAlive(): Promise<void> {
    const { tokens, connection } = before
    for (const url of urls()) {
      expect(await remember(url, tokens)).toBe('before')
      expect(await rememberIn(url, connection, tokens)).toBe('before')
      expect(await serviceOwner(url, tokens)).toBe('Ada Lovelace')
    }
    const { status, body } = await client.refresh(tokens.refresh_token)
    expect(status).toBe(200)
    const renewed = body as unknown as Tokens
    expect(await remember(urls()[1], renewed)).toBe('before')
    before = { ...before, tokens: renewed }
  }

  test('to Sentinels, while it is used', LONG, async () => {
    const sentinels = await watchWithSentinels(old, { downAfterMs: 3000 })
    onTestFinished(() => sentinels.stop())
    for (const at of [0, 1] as const) {
      await nodes[at]?.stop()
      await start(at, sentinels.url)
      await expectAlive()
    }
    await untilReplicated(old)
    await old.kill()
    await sentinels.untilPromoted(old)
    for (const url of urls()) {
      await expect.poll(() => remember(url, before.tokens).catch(String)).toBe('before')
    }
    await expectAlive()
  })

  test('to another server', LONG, async () => {
    const other = await startRedis('plain')
    onTestFinished(() => other.stop())
    await sendToRedis(other, 'REPLICAOF', '127.0.0.1', String(old.port))
    await until(async () =>
      String(await sendToRedis(other, 'INFO', 'replication')).includes('master_link_status:up'),
    )
    await stopAll()
    await untilReplicated(old)
    await sendToRedis(other, 'REPLICAOF', 'NO', 'ONE')
    await startAll(other.url)
    await expectAlive()
  })

  test('to a Redis Cluster', LONG, async () => {
    const cluster = await startRedisCluster()
    onTestFinished(() => cluster.stop())
    const [to] = cluster.servers
    await stopAll()
    const session = `mcp:{${sessionOf(before.tokens)}}:session`
    const ttl = Number(await sendToRedis(old, 'PTTL', session))
    const imported = await promisify(execFile)('redis-cli', [
      ...['--cluster', 'import', `127.0.0.1:${to?.port}`],
      ...['--cluster-from', `127.0.0.1:${old.port}`, '--cluster-copy'],
    ])
    expect(imported.stdout).not.toMatch(/ERR/)
    const sizes = async (...servers: readonly RedisServer[]) => {
      const counts = await Promise.all(servers.map((server) => sendToRedis(server, 'DBSIZE')))
      return counts.reduce((sum: number, count) => sum + Number(count), 0)
    }
    // Keys expire meanwhile, at one before the other.
    const missing = async () => (await sizes(old)) - (await sizes(...cluster.servers))
    await expect.poll(missing).toBe(0)
    const owner = await cluster.masterOf(session)
    const left = Number(await sendToRedis(owner, 'PTTL', session))
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThanOrEqual(ttl)
    await startAll(cluster.url)
    await expectAlive()
  })
})
