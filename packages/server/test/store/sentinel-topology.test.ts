/** Sentinels that disagree, and masters that are demoted, with servers whose replies the tests set. */

import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { newKey } from '../../src/store/contract/store-nodes.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { sendToRedis, until } from '../support/redis-commands.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { connectedStore } from './redis-stores.ts'

/** Names the configured master in every reply. */
async function startSentinel(master: RedisServer) {
  const sentinel = { port: 0, master }
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    socket.on('data', () => {
      const port = String(sentinel.master.port)
      socket.write(`*2\r\n$9\r\n127.0.0.1\r\n$${port.length}\r\n${port}\r\n`)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  sentinel.port = (server.address() as AddressInfo).port
  return sentinel
}

async function startServer(): Promise<RedisServer> {
  const server = await startRedis('plain')
  onTestFinished(() => server.stop())
  return server
}

async function openStore(sentinels: readonly { readonly port: number }[]) {
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')
  const store = await connectedStore(`redis+sentinel://${hosts}/main`, { timeoutMs: 15_000 })
  onTestFinished(() => store.close())
  return store
}

async function demote(server: RedisServer, master: RedisServer): Promise<void> {
  await sendToRedis(server, 'REPLICAOF', '127.0.0.1', String(master.port))
  await until(async () => String(await sendToRedis(server, 'ROLE')).startsWith('slave'))
}

describeRedis('plain', 'behind Sentinels', () => {
  it('writes that a demoted master refuses wait for the new one', async () => {
    const [old, promoted] = [await startServer(), await startServer()]
    const sentinel = await startSentinel(old)
    const store = await openStore([sentinel])
    const changing = demote(old, promoted)
      .then(() => sleep(300))
      .then(() => {
        sentinel.master = promoted
      })
    const writing = []
    for (let round = 0; round < 200; round += 1) {
      writing.push(store.set(newKey(), { round }, 60).catch(String))
      await sleep(2)
    }
    await changing
    expect(await Promise.all(writing)).toEqual(writing.map(() => undefined))
  })

  it('the master is the server with that role if Sentinels are tied', async () => {
    const [old, promoted] = [await startServer(), await startServer()]
    const [outdated, current] = [await startSentinel(old), await startSentinel(old)]
    const store = await openStore([outdated, current])
    await demote(old, promoted)
    current.master = promoted
    await store.set('after', { a: 1 }, 60)
    expect(await sendToRedis(promoted, 'EXISTS', 'mcp:after')).toBe(1)
    const later = await openStore([outdated, current])
    await expect.poll(() => later.get('after')).toEqual({ a: 1, rev: 1 })
  })

  it('a Sentinel that is named twice has one vote', async () => {
    const [old, promoted] = [await startServer(), await startServer()]
    const outdated = await startSentinel(old)
    const current = [await startSentinel(promoted), await startSentinel(promoted)]
    const store = await openStore([outdated, outdated, ...current])
    await store.set('key', { a: 1 }, 60)
    expect(await sendToRedis(promoted, 'EXISTS', 'mcp:key')).toBe(1)
  })
})
