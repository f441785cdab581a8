/** Host names that lead to another server after a failover, as those of managed Redis do. */

import dns from 'node:dns'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@redis/client'
import { expect, it, onTestFinished, vi } from 'vitest'
import { newKey } from '../../src/store/contract/store-nodes.ts'
import { freePort } from '../support/free-port.ts'
import { launch } from '../support/redis.ts'
import { REDIS_PROGRAM } from '../support/redis-binaries.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { connectedStore } from './redis-stores.ts'

const NAME = 'primary.redis.test'

/** A server at its own loopback address; those of a failover have one port. */
async function startAt(host: string, port: number, args: readonly string[] = []) {
  const folder = await mkdtemp(join(tmpdir(), 'redis-test-'))
  const options = { bind: host, port, dir: folder, save: '', 'repl-diskless-sync-delay': 0 }
  const given = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const running = await launch([REDIS_PROGRAM, ...given, ...args])
  const admin = createClient({ url: `redis://${host}:${port}`, socket: { reconnectStrategy: 50 } })
  admin.on('error', () => undefined)
  await admin.connect()
  onTestFinished(async () => {
    admin.destroy()
    await running.kill()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    ...{ host, admin, running },
    /** How many connections of the store it has. */
    count: async () =>
      String(await admin.sendCommand(['CLIENT', 'LIST'])).split('name=the-store ').length - 1,
  }
}

/** Makes the name lead to these addresses from now on. */
function resolveTo(...addresses: readonly string[]) {
  const all = addresses.map((address) => ({ address, family: 4 }))
  vi.spyOn(dns, 'lookup').mockImplementation(((
    _name: string,
    options: dns.LookupOptions,
    callback: (error: null, ...found: readonly unknown[]) => void,
  ) => {
    if (options.all) process.nextTick(() => callback(null, all))
    else process.nextTick(() => callback(null, addresses[0], 4))
  }) as unknown as typeof dns.lookup)
  onTestFinished(() => void vi.restoreAllMocks())
}

/** A master, and a replica that has all of its keys. */
async function startPair() {
  const port = await freePort()
  const old = await startAt('127.0.0.1', port)
  const next = await startAt('127.0.0.2', port, ['--replicaof', '127.0.0.1', String(port)])
  const replication = () => next.admin.info('replication')
  await expect.poll(replication).toContain('master_link_status:up')
  resolveTo(old.host)
  const url = `redis://${NAME}:${port}`
  const store = await connectedStore(url, { clientName: 'the-store', timeoutMs: 1500 })
  onTestFinished(() => store.close())
  return { port, old, next, store }
}

describeRedis('plain', 'a host name that leads to another server after a failover', () => {
  it('is resolved again when the old server has become its replica', async () => {
    const { port, old, next, store } = await startPair()
    const [key, stream] = [newKey(), newKey()]
    await store.set(key, { a: 1 }, 600)
    const seen: string[] = []
    const follower = await store.streams.follow([stream], (_, { value }) => void seen.push(value))
    onTestFinished(() => follower.close())
    expect(await old.count()).toBe(2)
    await expect.poll(() => next.admin.exists(`mcp:${key}`)).toBe(1)
    await next.admin.sendCommand(['REPLICAOF', 'NO', 'ONE'])
    await old.admin.sendCommand(['REPLICAOF', '127.0.0.2', String(port)])
    // The name follows later.
    const write = () =>
      store.set(key, { a: 2 }, 600).then(
        () => 'written',
        ({ status }) => status,
      )
    expect(await write()).toBe(503)
    resolveTo(next.host)
    await expect.poll(write).toBe('written')
    expect(await next.admin.exists(`mcp:${key}`)).toBe(1)
    const { streams } = store
    await streams.append(stream, 'after', { maxLength: 10, ttlSeconds: 600 })
    await expect.poll(() => seen).toEqual(['after'])
    // No reader stays with the replica either, without a write that it refuses.
    await expect.poll(() => old.count()).toBe(0)
    expect(await next.count()).toBe(2)
  })

  it.each(['gone', 'silent'] as const)(
    'is resolved again when the old server is %s',
    async (how) => {
      const { old, next, store } = await startPair()
      const key = newKey()
      await store.set(key, { a: 1 }, 600)
      await expect.poll(() => next.admin.exists(`mcp:${key}`)).toBe(1)
      await next.admin.sendCommand(['REPLICAOF', 'NO', 'ONE'])
      resolveTo(next.host)
      if (how === 'gone') await old.running.kill()
      else old.running.signal('SIGSTOP')
      await expect.poll(() => store.get(key).catch(String)).toEqual({ a: 1, rev: 1 })
      await expect.poll(() => next.count()).toBeGreaterThan(0)
      if (how === 'silent') old.running.signal('SIGCONT')
    },
  )

  it('may have several addresses, of which one does not answer', async () => {
    const port = await freePort()
    await startAt('127.0.0.1', port)
    resolveTo('127.0.0.3', '127.0.0.1')
    const store = await connectedStore(`redis://${NAME}:${port}`)
    onTestFinished(() => store.close())
    await store.set('key', { a: 1 }, 60)
  })
})
