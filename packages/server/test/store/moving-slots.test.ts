/** Migration of a slot of a Redis Cluster, as callers of the store see it. */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { newKey } from '../../src/store/contract/store-nodes.ts'
import type { Store } from '../../src/store/port.ts'
import { slotOf } from '../../src/store/redis-slots.ts'
import { askRedis } from '../support/ask-redis.ts'
import type { RedisServer } from '../support/redis.ts'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { connectedStore } from './redis-stores.ts'

const LIMITS = { maxLength: 10_000, ttlSeconds: 600 }

describeRedis('plain', 'a slot that moves', () => {
  let cluster: RedisCluster
  let store: Store

  beforeEach(async () => {
    // Nodes without a host name announce `?` then, in redirects too.
    cluster = await startRedisCluster({ args: ['--cluster-preferred-endpoint-type', 'hostname'] })
    store = await connectedStore(cluster.url, { timeoutMs: 15_000 })
  })
  afterEach(async () => {
    await store?.close()
    await cluster?.stop()
  })

  /** Begins to move the slot of a tag; the result moves one key, or ends it. */
  async function startMove(tag: string) {
    const slot = String(slotOf(tag))
    const from = await cluster.masterOf(tag)
    const to = cluster.servers.find((server) => server !== from) ?? from
    const idOf = async (server: RedisServer) => String(await askRedis(server, 'CLUSTER', 'MYID'))
    await askRedis(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(from))
    await askRedis(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', await idOf(to))
    return {
      move: (name: string) =>
        askRedis(from, 'MIGRATE', '127.0.0.1', `${to.port}`, name, '0', '5000'),
      async end() {
        const id = await idOf(to)
        for (const server of [to, from])
          await askRedis(server, 'CLUSTER', 'SETSLOT', slot, 'NODE', id)
      },
    }
  }

  it('is waited for by commands of several keys, of which one has not moved', async () => {
    const key = `{${newKey()}}`
    const move = await startMove(key)
    let lock: unknown = 'waits'
    const locking = store.lock(key, 60).then(
      (got) => {
        lock = got
      },
      (error) => {
        lock = error
      },
    )
    await sleep(500)
    expect(lock).toBe('waits')
    await move.end()
    await locking
    expect(lock).toMatchObject({ token: expect.any(Number) })
  })

  it('does not change the order of entries', async () => {
    const tag = `{${newKey()}}`
    const [key, onlyIf] = [`${tag}:stream`, `${tag}:document`]
    await store.set(onlyIf, { a: 1 }, 600)
    const move = await startMove(tag)
    await move.move(`mcp:${onlyIf}`)
    const appending: Promise<unknown>[] = []
    const append = () => {
      const sequence = appending.length + 1
      const options = { ...LIMITS, sequence, onlyIf }
      appending.push(store.streams.append(key, `${sequence}`, options).catch(String))
    }
    const ending = sleep(100).then(() => move.end())
    while (appending.length < 300) {
      append()
      await sleep(1)
    }
    await ending
    const written = await Promise.all(appending)
    expect(written).toEqual(written.map((_, at) => `0-${at + 1}`))
  })
})
