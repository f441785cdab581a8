/** The Redis store: the contract on a server without JSON commands and on one with them. */

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newKey, type OpenedStore } from '../../src/store/contract/store-nodes.ts'
import type { Store } from '../../src/store/port.ts'
import { createRedisStore } from '../../src/store/redis.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import type { RedisKind } from '../support/redis-binaries.ts'
import { addSlots, SLOTS } from '../support/redis-cluster.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { storeContract } from './contract.ts'
import { connectedStore } from './redis-stores.ts'

async function openOn(kind: RedisKind): Promise<OpenedStore> {
  const server = await startRedis(kind)
  const nodes = [await connectedStore(server.url), await connectedStore(server.url)] as const
  return { nodes, close: () => closeAll(nodes, server) }
}

/** A cluster of one node, which has every slot. */
async function openOnCluster(): Promise<OpenedStore> {
  const server = await startRedis('plain', ['--cluster-enabled', 'yes'])
  const admin = await createClient({ url: server.url }).connect()
  await admin.sendCommand([...addSlots(0, SLOTS)])
  while (!(await admin.clusterInfo()).includes('cluster_state:ok')) await sleep(20)
  admin.destroy()
  const nodes = [await connectedStore(server.url), await connectedStore(server.url)] as const
  return { nodes, close: () => closeAll(nodes, server) }
}

async function closeAll(nodes: readonly Store[], server?: RedisServer): Promise<void> {
  await Promise.all(nodes.map((node) => node.close()))
  await server?.stop()
}

for (const kind of ['plain', 'json'] as const) {
  const title = kind === 'plain' ? 'Redis without JSON commands' : 'Redis with JSON commands'
  describeRedis(kind, `a store in ${title}`, () => storeContract(() => openOn(kind)))
  describeRedis(kind, `keys in ${title}`, () => keysOf(kind))
}

// A node of a cluster refuses commands and scripts whose keys lie in more than one slot.
describeRedis('plain', 'a store in a Redis Cluster', () => storeContract(openOnCluster))

const external = process.env.REDIS_URL
if (external) {
  describe('a store in the Redis of REDIS_URL', () => {
    const open = async (): Promise<OpenedStore> => {
      const prefix = `test-${randomUUID()}:`
      const connect = () => connectedStore(`${external}`, { prefix })
      const nodes = [await connect(), await connect()] as const
      return { nodes, close: () => closeAll(nodes) }
    }
    storeContract(open)
  })
}

function keysOf(kind: RedisKind): void {
  let server: RedisServer
  let client: ReturnType<typeof createClient>
  let store: Store

  beforeAll(async () => {
    server = await startRedis(kind)
    client = createClient({ url: server.url })
    await client.connect()
    store = await connectedStore(server.url, { prefix: 'pre:' })
  })
  afterAll(async () => {
    client?.destroy()
    await closeAll([store], server)
  })

  it('all have the prefix and a TTL, after any operation', async () => {
    const key = newKey()
    await store.create(key, { a: 1 }, 60)
    await store.set(key, { a: 1 }, 60)
    await store.patch(key, { a: 2 })
    await store.touch(key, 60)
    await store.create(newKey(), {}, 60)
    await store.count(key, 60)
    await store.count(key, 60)
    await (await store.lock(key, 60))?.extend(60)
    const limits = { maxLength: 10, ttlSeconds: 60 }
    await store.streams.append(key, '1', limits)
    await store.streams.append(newKey(), '1', { ...limits, sequence: 1 })
    await store.streams.append(`${key}:s`, '1', { ...limits, onlyIf: key })
    await store.streams.append(newKey(), '1', { ...limits, onlyIf: newKey() })
    const names = await client.keys('*')
    expect(names).toContain('pre:{nodes}:form')
    expect(names).toHaveLength(9)
    for (const name of names) {
      expect(name).toMatch(/^pre:/)
      expect(await client.ttl(name), name).toBeGreaterThan(0)
    }
    expect(await client.type(`pre:${key}`)).toBe(kind === 'json' ? 'ReJSON-RL' : 'string')
  })

  it('are correct after the server has lost its scripts', async () => {
    const key = newKey()
    await store.set(key, { a: 1 }, 60)
    await client.scriptFlush()
    await store.set(key, { a: 2 }, 60)
    expect(await store.get(key)).toEqual({ a: 2, rev: 2 })
  })

  it('load each script once: commands are executed in order from the first use on', async () => {
    const fresh = await startRedis(kind)
    const admin = await createClient({ url: fresh.url }).connect()
    const first = await connectedStore(fresh.url)
    // Opening a store checks whether its user may call EVAL.
    await first.checkHealth()
    await admin.configResetStat()
    const key = newKey()
    await first.set(key, { a: 1 }, 60)
    await first.patch(key, { a: 2 })
    await first.count(key, 60)
    await (await first.lock(key, 60))?.release()
    const append = (sequence: number) =>
      first.streams.append(newKey(), 'x', { maxLength: 10, ttlSeconds: 60, sequence })
    await Promise.all([append(1), append(2)])
    expect(await admin.info('commandstats')).not.toContain('cmdstat_eval:')
    admin.destroy()
    await closeAll([first], fresh)
  })

  it('are read one by one by a user who may not read several at once', async () => {
    const user = ['on', '>secret', '~*', '&*', '+@all', '-mget']
    if (kind === 'json') user.push('-json.mget')
    await client.sendCommand(['ACL', 'SETUSER', 'single', ...user])
    const limited = await connectedStore(server.url.replace('//', '//single:secret@'))
    const keys = [newKey(), newKey(), newKey()]
    for (const key of keys) await limited.set(key, { key }, 60)
    for (const _round of [1, 2]) {
      const found = await Promise.all(keys.map((key) => limited.get(key)))
      expect(found).toEqual(keys.map((key) => ({ key, rev: 1 })))
    }
    await limited.close()
  })

  it('hold strings if JSON commands are disabled', async () => {
    const plain = await connectedStore(server.url, { json: 'never' })
    const key = newKey()
    await plain.set(key, { a: 1 }, 60)
    expect(await client.type(`mcp:${key}`)).toBe('string')
    await plain.close()
  })
}

describe('the Redis store', () => {
  const log = { info: () => undefined, warn: () => undefined }

  it('refuses a malformed address or prefix at once', () => {
    expect(() => createRedisStore({ url: 'http://example.com', log })).toThrow(TypeError)
    expect(() => createRedisStore({ prefix: '{a}', log })).toThrow(TypeError)
  })
})
