/** The store contract on Redis Cluster and Sentinel, and properties of several servers. */

import { createClient } from '@redis/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newKey, type OpenedStore } from '../../src/store/contract/store-nodes.ts'
import type { Store } from '../../src/store/port.ts'
import { slotOf } from '../../src/store/redis-slots.ts'
import type { RedisKind } from '../support/redis-binaries.ts'
import {
  type RedisCluster,
  type RedisTopologyServers,
  startRedisCluster,
} from '../support/redis-cluster.ts'
import { startRedisSentinels } from '../support/redis-sentinels.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { storeContract } from './contract.ts'
import { connectedStore } from './redis-stores.ts'

async function openOn(servers: RedisTopologyServers): Promise<OpenedStore> {
  const nodes = [await connectedStore(servers.url), await connectedStore(servers.url)] as const
  const close = async () => {
    await Promise.all(nodes.map((node) => node.close()))
    await servers.stop()
  }
  return { nodes, close }
}

describeRedis('plain', 'a store in a Redis Cluster with replicas', () => {
  storeContract(async () => openOn(await startRedisCluster({ replicas: 1 })))
})

describeRedis('json', 'a store in a Redis Cluster with JSON commands', () => {
  storeContract(async () => openOn(await startRedisCluster({ kind: 'json' })))
})

describeRedis('plain', 'a store behind Sentinels', () => {
  storeContract(async () => openOn(await startRedisSentinels()))
})

for (const kind of ['plain', 'json'] as const) {
  describeRedis(kind, `documents in all shards (${kind})`, () => documentsIn(kind))
}

function documentsIn(kind: RedisKind): void {
  let cluster: RedisCluster
  let store: Store

  beforeAll(async () => {
    cluster = await startRedisCluster({ kind })
    store = await connectedStore(cluster.url)
  })
  afterAll(async () => {
    await store?.close()
    await cluster?.stop()
  })

  it('are read together', async () => {
    const keys = Array.from({ length: 100 }, () => newKey())
    await Promise.all(keys.map((key) => store.set(key, { key }, 60)))
    const masters = new Set(await Promise.all(keys.map((key) => cluster.masterOf(`mcp:${key}`))))
    expect(masters.size).toBe(3)
    const absent = newKey()
    const found = await store.getAll([absent, ...keys, absent])
    expect(found).toEqual([undefined, ...keys.map((key) => ({ key, rev: 1 })), undefined])
    // Several of one slot among them, and one twice.
    const same = keys.slice(0, 3).flatMap((key) => [key, `${key}:other`, key])
    expect(await store.getAll(same)).toEqual(
      same.map((key) => (key.endsWith(':other') ? undefined : { key, rev: 1 })),
    )
  })

  it('do not hide that one of their shards is unavailable', async () => {
    const keys = Array.from({ length: 30 }, () => newKey())
    await Promise.all(keys.map((key) => store.set(key, { key }, 60)))
    const lost = await cluster.masterOf(`mcp:${keys[0]}`)
    await lost.kill()
    await expect.poll(() => store.getAll(keys).catch(({ code }) => code)).toBe('unavailable')
    await lost.restart()
    const found = () => store.getAll(keys).catch(({ code }) => code)
    await expect.poll(found).toEqual(keys.map((key) => ({ key, rev: 1 })))
  })
}

describeRedis('plain', 'the slot of a key', () => {
  it('is that of Redis', async () => {
    const cluster = await startRedisCluster()
    const admin = await createClient({ url: cluster.servers[0]?.url ?? '' }).connect()
    const random = Array.from({ length: 500 }, (_, at) => `${newKey()}:${at}`.slice(at % 40))
    const special = [
      '',
      'a',
      '{',
      '}',
      '{}',
      '{}a',
      'a{}b',
      'a{b}c',
      '{a}{b}',
      'a{{b}}c',
      'a{b',
      'a}b{c}',
    ]
    for (const key of [...special, ...random, 'é', 'a{ü€😀}b', 'ü{a}', '{\u0000}', '123456789']) {
      expect(slotOf(key), key).toBe(await admin.clusterKeySlot(key))
    }
    admin.destroy()
    await cluster.stop()
  })
})

describe('an address of several hosts', () => {
  it('is refused at once where it is malformed', async () => {
    const { createRedisStore } = await import('../../src/store/redis.ts')
    const log = { info: () => undefined, warn: () => undefined }
    expect(() => createRedisStore({ url: 'redis+cluster://a,,b', log })).toThrow(TypeError)
    expect(() => createRedisStore({ url: 'redis+cluster://:secret@a/1', log })).toThrow(/database/)
  })
})
