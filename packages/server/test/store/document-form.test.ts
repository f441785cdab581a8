/** The form of documents, JSON or strings, when Redis gets JSON commands: that of the stored ones. */

import { createClient } from '@redis/client'
import { expect, it, onTestFinished } from 'vitest'
import { newKey } from '../../src/store/contract/store-nodes.ts'
import type { Store } from '../../src/store/port.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { connectedStore, untilAvailable } from './redis-stores.ts'

/** A user without JSON commands, as on a Redis that lacks them. */
const WITHOUT_JSON = ['on', '>secret', '~*', '&*', '+@all', '-command|info']

async function open(server: RedisServer, user = ''): Promise<Store> {
  const store = await connectedStore(server.url.replace('//', `//${user}`))
  onTestFinished(() => store.close())
  // The first command waits for the form.
  await store.get('form')
  return store
}

const typeOf = async (server: RedisServer, key: string) => {
  const admin = await createClient({ url: server.url }).connect()
  const type = await admin.type(`mcp:${key}`)
  admin.destroy()
  return type
}

describeRedis('json', 'a store of strings whose Redis gets JSON commands', () => {
  async function upgraded() {
    const server = await startRedis('json')
    onTestFinished(() => server.stop())
    const admin = await createClient({ url: server.url }).connect()
    onTestFinished(() => admin.destroy())
    await admin.sendCommand(['ACL', 'SETUSER', 'old', ...WITHOUT_JSON])
    const before = await open(server, 'old:secret@')
    const key = newKey()
    await before.set(key, { a: 1 }, 600)
    expect(await typeOf(server, key)).toBe('string')
    return { server, admin, before, key }
  }

  it('keeps its documents, and their form', async () => {
    const { server, before, key } = await upgraded()
    const after = await open(server)
    expect(await after.get(key)).toEqual({ a: 1, rev: 1 })
    expect(await after.getAll([key, newKey()])).toEqual([{ a: 1, rev: 1 }, undefined])
    await after.patch(key, { a: 2 })
    expect(await before.get(key)).toEqual({ a: 2, rev: 2 })
    const other = newKey()
    await after.create(other, { b: 1 }, 600)
    expect(await typeOf(server, other)).toBe('string')
    expect(await before.get(other)).toEqual({ b: 1, rev: 1 })
  })

  it('keeps it after Redis was emptied, as long as a node runs', async () => {
    const { server, admin, before } = await upgraded()
    const after = await open(server)
    await admin.flushAll()
    await expect.poll(() => admin.exists('mcp:{nodes}:form'), { timeout: 5000 }).toBe(1)
    const key = newKey()
    await (await open(server)).set(key, { a: 1 }, 600)
    for (const each of [before, after]) expect(await each.get(key)).toEqual({ a: 1, rev: 1 })
  })

  it('takes the other form if the next node of an emptied store was faster', async () => {
    const { server, admin, before } = await upgraded()
    const after = await open(server)
    await before.close()
    await admin.flushAll()
    const next = await open(server)
    const key = newKey()
    await next.set(key, { a: 1 }, 600)
    const found = () => after.get(key).catch(String)
    await expect.poll(found, { timeout: 5000 }).toEqual({ a: 1, rev: 1 })
  })
})

describeRedis('json', 'an empty store', () => {
  it('gets JSON where Redis has the commands, for all nodes', async () => {
    const server = await startRedis('json')
    onTestFinished(() => server.stop())
    const [one, other] = await Promise.all([open(server), open(server)])
    const key = newKey()
    await one.set(key, { a: 1 }, 600)
    expect(await typeOf(server, key)).toBe('ReJSON-RL')
    expect(await other.get(key)).toEqual({ a: 1, rev: 1 })
  })

  it('is served although its form cannot be noted', async () => {
    const server = await startRedis('json')
    onTestFinished(() => server.stop())
    const store = await open(server)
    const key = newKey()
    await store.set(key, { a: 1 }, 600)
    const admin = await createClient({ url: server.url }).connect()
    onTestFinished(() => admin.destroy())
    await admin.del('mcp:{nodes}:form')
    await admin.configSet('maxmemory', '1')
    const next = await open(server)
    await untilAvailable(next)
    expect(await next.get(key)).toEqual({ a: 1, rev: 1 })
  })
})

describeRedis('plain', 'a store in Redis without JSON commands', () => {
  it('has its form noted, with an expiry, before such a Redis is there', async () => {
    const server = await startRedis('plain')
    onTestFinished(() => server.stop())
    await (await open(server)).set(newKey(), { a: 1 }, 600)
    const admin = await createClient({ url: server.url }).connect()
    onTestFinished(() => admin.destroy())
    const form = () => admin.get('mcp:{nodes}:form')
    await expect.poll(form).toBe('strings')
    expect(await admin.ttl('mcp:{nodes}:form')).toBeGreaterThan(9 * 365 * 24 * 60 * 60)
    await admin.flushAll()
    await expect.poll(form, { timeout: 5000 }).toBe('strings')
  })
})
