/** Migration of a slot of a Redis Cluster, as callers of the store see it. */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest'
import { newKey } from '../../src/store/contract/store-nodes.ts'
import type { Store } from '../../src/store/port.ts'
import { slotOf } from '../../src/store/redis-slots.ts'
import { freePort } from '../support/free-port.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts'
import { sendToRedis, until } from '../support/redis-commands.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { connectedStore } from './redis-stores.ts'

const LIMITS = { maxLength: 10_000, ttlSeconds: 600 }

const LONG = { timeout: 240_000 }
/** Longer than the interval of discoveries, and the delay before connections are closed. */
const IMPORTS_FOR_MS = 8000

/** Begins to move the slot of a tag; the result moves one key, or ends it. */
async function startMove(cluster: RedisCluster, tag: string, target?: RedisServer) {
  const slot = String(slotOf(tag))
  const from = await cluster.masterOf(tag)
  const to = target ?? cluster.servers.find((server) => server !== from) ?? from
  const idOf = async (server: RedisServer) => String(await sendToRedis(server, 'CLUSTER', 'MYID'))
  await sendToRedis(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(from))
  await sendToRedis(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', await idOf(to))
  return {
    move: (name: string) =>
      sendToRedis(from, 'MIGRATE', '127.0.0.1', `${to.port}`, name, '0', '5000'),
    async end() {
      const id = await idOf(to)
      for (const server of [to, from])
        await sendToRedis(server, 'CLUSTER', 'SETSLOT', slot, 'NODE', id)
    },
  }
}

/** Servers announce their host names. */
const BY_NAME = ['--cluster-preferred-endpoint-type', 'hostname']

describeRedis('plain', 'a slot that moves', () => {
  let cluster: RedisCluster
  let store: Store

  beforeEach(async () => {
    // Nodes without a host name announce `?` then, in redirects too.
    cluster = await startRedisCluster({ args: BY_NAME })
    store = await connectedStore(cluster.url, { timeoutMs: 15_000 })
  })
  afterEach(async () => {
    await store?.close()
    await cluster?.stop()
  })

  it('delays commands of several keys while one has not moved', async () => {
    const key = `{${newKey()}}`
    const move = await startMove(cluster, key)
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
    const move = await startMove(cluster, tag)
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

for (const kind of ['plain', 'json'] as const) {
  describeRedis(kind, `a slot whose move does not end (${kind})`, () => {
    it('is read all the same: documents that have moved, that have not, and absent ones', async () => {
      const cluster = await startRedisCluster({ kind })
      onTestFinished(() => cluster.stop())
      const store = await connectedStore(cluster.url)
      onTestFinished(() => store.close())
      const tag = `{${newKey()}}`
      const [moved, left, absent] = [`${tag}:moved`, `${tag}:left`, `${tag}:absent`]
      await store.set(moved, { at: 'target' }, 600)
      await store.set(left, { at: 'source' }, 600)
      const { move } = await startMove(cluster, tag)
      const sets = [
        [left, absent],
        [moved, left, absent],
        [absent, `${absent}:too`],
      ]
      const expected = [
        [{ at: 'source', rev: 1 }, undefined],
        [{ at: 'target', rev: 1 }, { at: 'source', rev: 1 }, undefined],
        [undefined, undefined],
      ]
      const readAll = () => Promise.all(sets.map((keys) => store.getAll(keys)))
      expect(await readAll()).toEqual(expected)
      await move(`mcp:${moved}`)
      const startedAt = performance.now()
      expect(await readAll()).toEqual(expected)
      expect(performance.now() - startedAt).toBeLessThan(500)
      await move(`mcp:${left}`)
      expect(await readAll()).toEqual(expected)
    })
  })
}

describeRedis('plain', 'a slot that moves between servers', () => {
  it.each<[announced: string, args: readonly string[]]>([
    ['host names', [...BY_NAME, '--cluster-announce-hostname', 'localhost']],
    ['no host', ['--cluster-preferred-endpoint-type', 'unknown-endpoint']],
  ])('that announce %s is found', async (_announced, args) => {
    const cluster = await startRedisCluster({ args })
    onTestFinished(() => cluster.stop())
    const store = await connectedStore(cluster.url, { timeoutMs: 15_000 })
    onTestFinished(() => store.close())
    const key = newKey()
    await store.set(key, { a: 1 }, 600)
    const { move, end } = await startMove(cluster, `mcp:${key}`)
    await move(`mcp:${key}`)
    expect(await store.get(key)).toEqual({ a: 1, rev: 1 })
    await end()
    expect(await store.get(key)).toEqual({ a: 1, rev: 1 })
  })
})

describeRedis('plain', 'a server that imports its first slot', () => {
  it('serves its keys during the whole migration', LONG, async () => {
    const cluster = await startRedisCluster()
    onTestFinished(() => cluster.stop())
    const busPort = String(await freePort())
    const args = ['--cluster-enabled', 'yes', '--cluster-port', busPort]
    const empty = await startRedis('plain', args)
    onTestFinished(() => empty.stop())
    const meet = ['CLUSTER', 'MEET', '127.0.0.1', `${empty.port}`, busPort]
    await sendToRedis(cluster.servers[0] ?? empty, ...meet)
    const known = async (server: RedisServer) =>
      String(await sendToRedis(server, 'CLUSTER', 'INFO'))
    await until(async () =>
      (await Promise.all([...cluster.servers, empty].map(known))).every(
        (info) => info.includes('cluster_known_nodes:4') && info.includes('cluster_state:ok'),
      ),
    )
    const store = await connectedStore(cluster.url, { timeoutMs: 15_000 })
    onTestFinished(() => store.close())
    const key = newKey()
    await store.set(key, { a: 1 }, 600)
    const { move } = await startMove(cluster, `mcp:${key}`, empty)
    await move(`mcp:${key}`)
    const failures: string[] = []
    const endAt = performance.now() + IMPORTS_FOR_MS
    const reading = Array.from({ length: 50 }, async () => {
      while (performance.now() < endAt) {
        await store.get(key).catch((error: unknown) => failures.push(String(error)))
      }
    })
    await Promise.all(reading)
    expect(failures).toEqual([])
  })
})
