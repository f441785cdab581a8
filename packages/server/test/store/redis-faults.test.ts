/** Outages and hangs of Redis, as callers of the store see them, and recovery. */

import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Store } from '../../src/store/port.ts'
import { createRedisStore, type RedisStoreOptions } from '../../src/store/redis.ts'
import { expectWithin } from '../support/expect-within.ts'
import { freePort } from '../support/free-port.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { untilAvailable } from './redis-stores.ts'

const TIMEOUT_MS = 600
/** Less than the deadline, which was not awaited. */
const AT_ONCE_MS = 550
/** For a busy machine. */
const SLACK_MS = 2000
const SOON_MS = 15_000

describeRedis('plain', 'when Redis fails, the store', () => {
  let server: RedisServer
  let store: Store
  let messages: string[]

  function openStore(options: Partial<RedisStoreOptions> = {}): Store {
    const note = (_: object, message: string) => void messages.push(message)
    const log = { info: note, warn: note }
    return createRedisStore({ url: server.url, timeoutMs: TIMEOUT_MS, log, ...options })
  }

  beforeEach(async () => {
    messages = []
    server = await startRedis('plain')
    store = openStore()
    await untilAvailable(store)
    await store.set('kept', { a: 1 }, 60)
  })
  afterEach(async () => {
    await store?.close()
    await server?.stop()
  })

  it('fails at once while the server is down, and works soon after its restart', async () => {
    await server.kill()
    await expectUnavailable(store, AT_ONCE_MS)
    await sleep(1500)
    await expectUnavailable(store, AT_ONCE_MS)
    await server.restart()
    expect(await untilAvailable(store)).toBeLessThan(SOON_MS)
    expect(await store.get('kept')).toEqual({ a: 1, rev: 1 })
  })

  it('fails at once with its streams, too', async () => {
    await server.kill()
    const { streams } = store
    const append = () => streams.append('a', '1', { maxLength: 10, ttlSeconds: 60 })
    await expectUnavailable({ get: append }, AT_ONCE_MS)
    await expectUnavailable({ get: () => streams.read('a', '0') }, AT_ONCE_MS)
    await expectUnavailable({ get: () => streams.last('a') }, AT_ONCE_MS)
  })

  it('logs each loss and each recovery once', async () => {
    messages = []
    await server.kill()
    await sleep(1500)
    await server.restart()
    await untilAvailable(store)
    expect(messages).toEqual(['Redis unreachable; reconnecting', 'Redis connected'])
  })

  it('fails within its deadline while the server hangs, and works afterwards', async () => {
    server.pause()
    await expectUnavailable(store, TIMEOUT_MS + SLACK_MS)
    server.resume()
    expect(await untilAvailable(store)).toBeLessThan(SOON_MS)
    expect(await store.get('kept')).toEqual({ a: 1, rev: 1 })
  })

  it('replaces a silent connection, and fails at once from then on', async () => {
    server.pause()
    const startedAt = performance.now()
    while (performance.now() - startedAt < 5 * TIMEOUT_MS) {
      await expectUnavailable(store, TIMEOUT_MS + SLACK_MS)
      await sleep(10)
    }
    await expectUnavailable(store, AT_ONCE_MS)
    server.resume()
    expect(await untilAvailable(store)).toBeLessThan(SOON_MS)
    expect(messages.filter((message) => message.includes('unreachable'))).toHaveLength(1)
  })

  it('does not treat a slow server as dead', async () => {
    for (let round = 0; round < 4; round += 1) {
      server.pause()
      await expectUnavailable(store, TIMEOUT_MS + SLACK_MS)
      server.resume()
      await untilAvailable(store)
    }
    expect(messages.join()).not.toContain('unreachable')
  })

  it('needs no server at its start', async () => {
    const port = await freePort()
    const early = openStore({ url: `redis://127.0.0.1:${port}` })
    await expectUnavailable(early, AT_ONCE_MS)
    await early.close()

    await server.kill()
    const waiting = openStore()
    await expectUnavailable(waiting, AT_ONCE_MS)
    await server.restart()
    expect(await untilAvailable(waiting)).toBeLessThan(SOON_MS)
    await waiting.close()
  })

  it('is unavailable once it is closed, and closes twice', async () => {
    await store.close()
    await expectUnavailable(store, AT_ONCE_MS)
    await store.close()
  })

  it('leaves no socket behind when it is closed while it connects', async () => {
    const admin = await createClient({ url: server.url }).connect()
    const sockets = async () =>
      String(await admin.sendCommand(['CLIENT', 'LIST'])).split('\n').length
    const before = await sockets()
    await Promise.all(Array.from({ length: 5 }, () => openStore().close()))
    await expect.poll(sockets).toBe(before)
    admin.destroy()
  })

  it('closes within its deadline while the server hangs', async () => {
    server.pause()
    const pending = store.get('kept').catch(() => undefined)
    const startedAt = performance.now()
    await store.close()
    expect(performance.now() - startedAt).toBeLessThan(TIMEOUT_MS + SLACK_MS)
    await pending
  })

  it('is unavailable, not broken, when the server is full or became a replica', async () => {
    const admin = await createClient({ url: server.url }).connect()
    await admin.configSet('maxmemory', '1')
    await expectUnavailable({ get: () => store.set('new', { a: 1 }, 60) }, AT_ONCE_MS)
    await expectUnavailable({ get: () => store.lock('new', 60) }, AT_ONCE_MS)
    await admin.configSet('maxmemory', '0')

    await admin.sendCommand(['REPLICAOF', '127.0.0.1', `${await freePort()}`])
    await expectUnavailable({ get: () => store.set('new', { a: 1 }, 60) }, AT_ONCE_MS)
    await expectUnavailable({ get: () => store.touch('kept', 60) }, AT_ONCE_MS)
    await admin.sendCommand(['REPLICAOF', 'NO', 'ONE'])
    await untilAvailable(store)
    await store.set('new', { a: 1 }, 60)
    admin.destroy()
  })

  it('is unavailable when the password is wrong, and works when it is right', async () => {
    const admin = await createClient({ url: server.url }).connect()
    await admin.configSet('requirepass', 'p@ss/word:')
    const { port } = server
    const parts = { url: undefined, host: '127.0.0.1', port }
    const wrong = openStore({ ...parts, password: 'no' })
    await sleep(200)
    await expectUnavailable(wrong, AT_ONCE_MS)
    expect(messages.join()).not.toContain('p@ss')
    await wrong.close()

    const right = openStore({ ...parts, username: 'default', password: 'p@ss/word:', db: 3 })
    await untilAvailable(right)
    await right.set('a', { a: 1 }, 60)
    await admin.select(3)
    expect(await admin.exists('mcp:a')).toBe(1)
    await right.close()
    admin.destroy()
  })
})

async function expectUnavailable(
  store: { get(key: string): Promise<unknown> },
  withinMs: number,
): Promise<void> {
  await expectWithin(withinMs, () =>
    expect(store.get('kept')).rejects.toMatchObject({
      code: 'unavailable',
      status: 503,
      retryAfterSeconds: 1,
    }),
  )
}
