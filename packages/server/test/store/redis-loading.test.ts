/** A Redis that restarts with much data, and refuses commands until it has read it (LOADING). */

import { createClient } from '@redis/client'
import { expect, it, onTestFinished } from 'vitest'
import { definedScripts } from '../../src/store/redis-scripts.ts'
import { startRedis } from '../support/redis.ts'
import { redisMajor } from '../support/redis-binaries.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { connectedStore } from './redis-stores.ts'

/** With the delay for each key, it loads them for some three seconds. */
const KEYS = 1500
const SLOWLY = ['--key-load-delay', '2000', '--loading-process-events-interval-bytes', '1024']

describeRedis('plain', 'a Redis that loads its data', () => {
  // Redis 6 replies too rarely while it loads.
  it.skipIf(redisMajor() < 7)('is unavailable, then works with its scripts', async () => {
    const server = await startRedis('plain', SLOWLY)
    onTestFinished(() => server.stop())
    const admin = createClient({ url: server.url, socket: { reconnectStrategy: 20 } })
    admin.on('error', () => undefined)
    await admin.connect()
    onTestFinished(() => admin.destroy())
    const store = await connectedStore(server.url)
    onTestFinished(() => store.close())
    await store.set('kept', { a: 1 }, 600)
    const filling = Array.from({ length: KEYS }, (_, at) => admin.set(`filler:${at}`, 'x'))
    await Promise.all(filling)
    // Saved every second.
    await admin.sendCommand(['BGREWRITEAOF'])
    await expect.poll(() => admin.info('persistence')).toContain('aof_rewrite_in_progress:0')

    await server.kill()
    const restarting = server.restart()
    const reason = () =>
      store.checkHealth().then(
        () => 'healthy',
        ({ message }) => message,
      )
    await expect.poll(reason).toMatch(/loading its data \(LOADING\)/)
    const refused = { code: 'unavailable', status: 503 }
    await expect(store.get('kept')).rejects.toMatchObject(refused)
    await expect(store.set('other', { a: 1 }, 60)).rejects.toMatchObject(refused)
    await restarting
    await expect.poll(reason).toBe('healthy')
    expect(await store.get('kept')).toEqual({ a: 1, rev: 1 })
    const shas = definedScripts().map(({ sha }) => sha)
    const exist = () => admin.sendCommand(['SCRIPT', 'EXISTS', ...shas])
    await expect.poll(exist).toEqual(shas.map(() => 1))
  })
})
