/**
 * Health of several servers: a failed one does not make a node unready, and each change is logged
 * once.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest'
import { newKey } from '../../src/store/contract/store-nodes.ts'
import { observeStore } from '../../src/store/observed-store.ts'
import { createRedisStore } from '../../src/store/redis.ts'
import { slotOf } from '../../src/store/redis-slots.ts'
import { createMetrics } from '../../src/telemetry/prometheus.ts'
import { freePort } from '../support/free-port.ts'
import { startRedis } from '../support/redis.ts'
import { promote, type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts'
import { sendToRedis } from '../support/redis-commands.ts'
import { startRedisSentinels } from '../support/redis-sentinels.ts'
import { describeRedis } from '../support/redis-suite.ts'

interface Line {
  readonly fields: object
  readonly message: string
}

function openStore(url: string, timeoutMs = 3000) {
  const lines: Line[] = []
  const note = (fields: object, message: string) => void lines.push({ fields, message })
  const plain = createRedisStore({ url, timeoutMs, log: { info: note, warn: note } })
  onTestFinished(() => plain.close())
  const metrics = createMetrics({ version: '1' })
  const store = observeStore(plain, { metrics, tracing: undefined }, 'redis')
  const health = () =>
    store.checkHealth().then(
      ({ warnings }) => warnings.map(({ message }) => message).join(),
      (error: Error) => `not ready: ${error.message}`,
    )
  const shards = async () => {
    const { text } = await metrics.scrape()
    const value = (name: string) => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1])
    return [value('mcp_redis_shards_ready'), value('mcp_redis_shards')]
  }
  return { store, lines, health, shards }
}

describeRedis('plain', 'a Redis Cluster without replicas', () => {
  let cluster: RedisCluster
  beforeEach(async () => {
    cluster = await startRedisCluster()
  })
  afterEach(() => cluster?.stop())

  it('degrades shard by shard, recovers, and logs it', async () => {
    const { store, lines, health, shards } = openStore(cluster.url)
    await expect.poll(health).toBe('')
    expect(await shards()).toEqual([3, 3])
    const keys = Array.from({ length: 30 }, () => newKey())
    await Promise.all(keys.map((key) => store.set(key, { key }, 60)))
    const lost = await cluster.masterOf(`mcp:${keys[0]}`)
    const owners = await Promise.all(keys.map((key) => cluster.masterOf(`mcp:${key}`)))
    await lost.kill()
    await expect.poll(health).toMatch(/^2 of 3 Redis shards can serve requests.*cannot be reached/)
    expect(await health()).not.toMatch(/127\.0\.0\.1|:\d{4,}/)
    expect(await shards()).toEqual([2, 3])
    const found = keys.map((key) => store.get(key).catch(({ code }) => code))
    expect(await Promise.all(found)).toEqual(
      keys.map((key, at) => (owners[at] === lost ? 'unavailable' : { key, rev: 1 })),
    )
    const degraded = { state: 'degraded', shards: 3, ready: 2 }
    const lastFields = () =>
      lines.filter(({ message }) => /^Redis shards/.test(message)).at(-1)?.fields
    await expect.poll(lastFields).toEqual(degraded)
    await Promise.all(cluster.servers.map((server) => server.kill()))
    await expect.poll(health).toMatch(/^not ready: Redis cannot be reached/)
    expect(await shards()).toEqual([0, 3])
    await Promise.all(cluster.servers.map((server) => server.restart()))
    await expect.poll(health).toBe('')
    await expect.poll(() => lines.at(-1)?.message).toBe('Redis shards serve requests')
    expect(JSON.stringify(lines)).toContain(`127.0.0.1:${lost.port}`)
  })

  it('keeps other shards in service while one hangs', async () => {
    const { store, health } = openStore(cluster.url)
    await expect.poll(health).toBe('')
    const keys = Array.from({ length: 30 }, () => newKey())
    await Promise.all(keys.map((key) => store.set(key, { key }, 60)))
    const hung = await cluster.masterOf(`mcp:${keys[0]}`)
    const owners = await Promise.all(keys.map((key) => cluster.masterOf(`mcp:${key}`)))
    hung.pause()
    const found = keys.map((key) => store.get(key).catch(({ code }) => code))
    expect(await Promise.all(found)).toEqual(
      keys.map((key, at) => (owners[at] === hung ? 'unavailable' : { key, rev: 1 })),
    )
    await expect.poll(health).toMatch(/^2 of 3 Redis shards/)
    hung.resume()
    await expect.poll(health).toBe('')
    expect(await store.getAll(keys)).toEqual(keys.map((key) => ({ key, rev: 1 })))
  })
})

describeRedis('plain', 'a Redis Cluster whose servers refuse', () => {
  let cluster: RedisCluster
  beforeEach(async () => {
    cluster = await startRedisCluster({ replicas: 1 })
  })
  afterEach(() => cluster?.stop())

  it('is not ready as soon as one server has hung, if all do', async () => {
    // Less than the time for which probe results are valid.
    const { store, health } = openStore(cluster.url, 1000)
    await expect.poll(health).toBe('')
    for (const server of cluster.servers) server.pause()
    expect(await store.get(newKey()).catch(({ code }) => code)).toBe('unavailable')
    expect(await health()).toMatch(/^not ready: .*does not answer in time/)
    for (const server of cluster.servers) server.resume()
    await expect.poll(health).toBe('')
  })

  it('a user without ASKING causes one warning, and is served', async () => {
    const rights = ['on', '>secret', '~*', '+@all', '-asking']
    for (const server of cluster.servers) {
      await sendToRedis(server, 'ACL', 'SETUSER', 'limited', ...rights)
    }
    const { health, lines, shards } = openStore(cluster.url.replace('//', '//limited:secret@'))
    const warnings = () => lines.filter(({ message }) => /ASKING/.test(message))
    await expect.poll(() => warnings().length).toBe(1)
    await expect.poll(health).toBe('')
    expect(await shards()).toEqual([3, 3])
    // All servers refuse it at every probe.
    await sleep(2500)
    expect(warnings()).toEqual([
      {
        fields: expect.objectContaining({
          reason: 'no_permission',
          detail: expect.stringMatching(/refuses ASKING to this user.*\+asking/),
        }),
        message: 'Redis refuses ASKING; requests fail while slots move',
      },
    ])
    expect(await health()).toBe('')
  })

  it('a promoted replica with another password makes its shard unavailable', async () => {
    const { store, health } = openStore(cluster.url)
    await expect.poll(health).toBe('')
    const key = newKey()
    await store.set(key, { a: 1 }, 600)
    const master = await cluster.masterOf(`mcp:${key}`)
    const replica = await cluster.replicaOf(master)
    const admin = await createClient({ url: replica.url }).connect()
    admin.on('error', () => undefined)
    onTestFinished(() => admin.destroy())
    await admin.sendCommand(['ACL', 'SETUSER', 'default', 'resetpass', '>other'])
    await promote((...command) => admin.sendCommand(command))
    await expect.poll(health).toMatch(/^2 of 3 Redis shards.*requires a password \(NOAUTH\)/)
    expect(await store.get(key).catch(({ code }) => code)).toBe('unavailable')
    await admin.sendCommand(['ACL', 'SETUSER', 'default', 'nopass'])
    await expect.poll(() => store.get(key).catch(({ code }) => code)).toEqual({ a: 1, rev: 1 })
    await expect.poll(health).toBe('')
  })

  it('with full coverage required, the failure of a shard makes all unavailable, and is explained', async () => {
    for (const server of cluster.servers) {
      await sendToRedis(server, 'CONFIG', 'SET', 'cluster-require-full-coverage', 'yes')
    }
    const { store, health } = openStore(cluster.url)
    await expect.poll(health).toBe('')
    const lost = await cluster.masterOf('mcp:lost')
    const slot = String(slotOf('mcp:lost'))
    // Its owner first, which otherwise announces it to the others again.
    for (const server of [lost, ...cluster.servers.filter((each) => each !== lost)]) {
      await sendToRedis(server, 'CLUSTER', 'DELSLOTS', slot)
    }
    const keys = Array.from({ length: 20 }, () => newKey())
    const codes = () => Promise.all(keys.map((key) => store.get(key).catch(({ code }) => code)))
    await expect.poll(codes).toEqual(keys.map(() => 'unavailable'))
    await expect.poll(health).toMatch(/^not ready: The Redis Cluster does not serve.*CLUSTERDOWN/)
    await sendToRedis(lost, 'CLUSTER', 'ADDSLOTS', slot)
    await expect.poll(codes).toEqual(keys.map(() => undefined))
    await expect.poll(health).toBe('')
  })
})

describeRedis('plain', 'an address that names something else', () => {
  it('is explained: a single server instead of a cluster', async () => {
    const server = await startRedis('plain')
    onTestFinished(() => server.stop())
    const { health } = openStore(`redis+cluster://127.0.0.1:${server.port}`)
    await expect.poll(health).toMatch(/^not ready: This Redis is not a Redis Cluster.*redis:\/\//)
  })

  it('is explained: a data server instead of a Sentinel', async () => {
    const server = await startRedis('plain')
    onTestFinished(() => server.stop())
    const { health } = openStore(`redis+sentinel://127.0.0.1:${server.port}/main`)
    await expect.poll(health).toMatch(/^not ready: This Redis is not a Sentinel/)
  })

  it('is explained: a password that Sentinels require', async () => {
    const sentinels = await startRedisSentinels()
    onTestFinished(() => sentinels.stop())
    for (const sentinel of sentinels.sentinels) {
      await sendToRedis(sentinel, 'ACL', 'SETUSER', 'default', 'resetpass', '>secret')
    }
    const { health } = openStore(sentinels.url)
    await expect.poll(health).toMatch(/^not ready: The Sentinels require.*REDIS_SENTINEL_P/)
  })

  it('is explained: a master that the Sentinels do not know', async () => {
    const sentinels = await startRedisSentinels()
    onTestFinished(() => sentinels.stop())
    const { health } = openStore(sentinels.url.replace('/main', '/other'))
    await expect.poll(health).toMatch(/^not ready: The Sentinels know no master of this name/)
  })

  it('is explained: servers that announce another address', async () => {
    const cluster = await startRedisCluster()
    onTestFinished(() => cluster.stop())
    const free = new Map<number, number>()
    for (const { port } of cluster.servers) free.set(port, await freePort())
    await cluster.announce((own) => free.get(own) ?? own)
    const { health } = openStore(cluster.url)
    await expect.poll(health).toMatch(/^not ready: .*cannot be reached.*cluster-announce-ip/)
  })

  it('is explained: nothing at all', async () => {
    const { health, lines } = openStore(`redis+cluster://u:secret@127.0.0.1:${await freePort()}`)
    await expect.poll(health).toMatch(/^not ready: Redis cannot be reached: nothing listens/)
    expect(JSON.stringify(lines)).not.toContain('secret')
  })
})
