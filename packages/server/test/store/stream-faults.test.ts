/** Followers of streams while connections break, and Redis restarts, hangs or loses its data. */

import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { AppError } from '../../src/errors.ts'
import { listen, numbers, type Recording } from '../../src/store/contract/recording.ts'
import type { Store } from '../../src/store/port.ts'
import { createRedisStore } from '../../src/store/redis.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { connectedStore, untilAvailable } from './redis-stores.ts'

const TIMEOUT_MS = 300
/** For writes that must not fail on a busy machine. */
const PATIENT_MS = 15_000
/** Longer than a follower waits before it closes a silent connection. */
const HANG_MS = 3500
const LIMITS = { maxLength: 10_000, ttlSeconds: 60 }
const KEY = '{test}:s'

describeRedis('plain', 'when Redis fails, a follower', () => {
  let server: RedisServer
  let store: Store
  /** A second store, for appends that the test does not repeat. */
  let patient: Store
  let admin: ReturnType<typeof createClient>
  let messages: string[]

  beforeEach(async () => {
    messages = []
    server = await startRedis('plain')
    admin = createClient({ url: server.url })
    admin.on('error', () => undefined)
    await admin.connect()
    const note = (_: object, message: string) => void messages.push(message)
    const log = { info: note, warn: note }
    store = createRedisStore({ url: server.url, timeoutMs: TIMEOUT_MS, log })
    await untilAvailable(store)
    patient = await connectedStore(server.url, { timeoutMs: PATIENT_MS })
  })
  afterEach(async () => {
    admin?.destroy()
    await store?.close()
    await patient?.close()
    await server?.stop()
  })

  /** Retries until it is acknowledged: the reply to the first attempt may be lost. */
  async function appendSurely(sequence: number): Promise<void> {
    for (;;) {
      try {
        await store.streams.append(KEY, `${sequence}`, { ...LIMITS, sequence })
        return
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        await sleep(5)
      }
    }
  }

  async function clients(command: string): Promise<readonly string[]> {
    const list = String(await admin.sendCommand(['CLIENT', 'LIST']))
    const lines = list.split('\n').filter((line) => line.includes(`cmd=${command}`))
    return lines.map((line) => /^id=(\d+)/.exec(line)?.[1] ?? '')
  }

  /** Runs `fault` repeatedly during `work`; returns the number of runs. */
  async function during(work: Promise<void>, fault: () => Promise<unknown>): Promise<number> {
    let rounds = 0
    let working = true
    const done = work.finally(() => {
      working = false
    })
    while (working) {
      await fault()
      rounds += 1
      await sleep(20)
    }
    await done
    return rounds
  }

  /** Expects every entry exactly once, in order, and nothing after them. */
  async function expectAll(recording: Recording, count: number): Promise<void> {
    await recording.until(count)
    await sleep(50)
    expect(recording.values()).toEqual(numbers(1, count))
  }

  it('receives 1,000 entries once each while its connection is killed repeatedly', async () => {
    const recording = await listen(store.streams, [KEY])
    let kills = 0
    const work = async () => {
      for (const value of numbers(1, 1000)) {
        await patient.streams.append(KEY, value, LIMITS)
        if (Number(value) % 5 === 0) await sleep(5)
      }
    }
    await during(work(), async () => {
      for (const id of await clients('xread')) {
        kills += Number(await admin.sendCommand(['CLIENT', 'KILL', 'ID', id]))
      }
    })
    await expectAll(recording, 1000)
    expect(kills).toBeGreaterThan(5)
  })

  it('receives 1,000 entries once each while every connection is killed', async () => {
    const recording = await listen(store.streams, [KEY])
    const work = async () => {
      for (const value of numbers(1, 1000)) {
        await appendSurely(Number(value))
        if (Number(value) % 10 === 0) await sleep(5)
      }
    }
    const kill = async () => {
      await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal'])
      await sleep(80)
    }
    expect(await during(work(), kill)).toBeGreaterThan(2)
    await expectAll(recording, 1000)
  })

  it('continues after restarts of the server', async () => {
    const recording = await listen(store.streams, [KEY])
    for (let round = 0; round < 3; round += 1) {
      for (const value of numbers(round * 50 + 1, round * 50 + 50))
        await appendSurely(Number(value))
      await server.kill()
      await sleep(100)
      await server.restart()
    }
    await appendSurely(151)
    await expectAll(recording, 151)
  })

  it('continues after short and long hangs of the server', async () => {
    const recording = await listen(store.streams, [KEY])
    await appendSurely(1)
    for (const [index, ms] of [500, HANG_MS].entries()) {
      server.pause()
      await sleep(ms)
      server.resume()
      await appendSurely(index + 2)
      await recording.until(index + 2)
    }
    await expectAll(recording, 3)
    expect(messages).toContain('Redis unreachable; reconnecting')
  })

  it('receives a stream that was lost and restarted, while others continue', async () => {
    const busy = '{test}:busy'
    const recording = await listen(store.streams, [KEY, busy])
    await appendSurely(10_000)
    await recording.until(1)
    await admin.flushAll()
    let sequence = 0
    for (; recording.values().length === 1; await sleep(20)) {
      sequence += 1
      await appendSurely(sequence)
      await patient.streams.append(busy, `${sequence}`, LIMITS)
    }
    await appendSurely(sequence + 1)
    while (recording.values().at(-1) !== `${sequence + 1}`) await sleep(10)
    const first = Number(recording.values()[1])
    expect(recording.values()).toEqual(['10000', ...numbers(first, sequence + 1)])
    expect(recording.values(busy)).toEqual(numbers(1, sequence))
  })

  it('loses nothing of a stream with automatic ids when Redis is emptied', async () => {
    const recording = await listen(store.streams, [KEY])
    await patient.streams.append(KEY, '1', LIMITS)
    await recording.until(1)
    await sleep(5)
    await admin.flushAll()
    for (const value of numbers(2, 50)) await patient.streams.append(KEY, value, LIMITS)
    await expectAll(recording, 50)
  })

  it('needs no server at its start, and then begins at the end', async () => {
    await appendSurely(1)
    await server.kill()
    const startedAt = performance.now()
    const recording = await listen(store.streams, [KEY])
    // The server stays down until it has begun.
    expect(performance.now() - startedAt).toBeLessThan(TIMEOUT_MS + 5000)
    await server.restart()
    while ((await clients('xread').catch(() => [])).length === 0) await sleep(10)
    await appendSurely(2)
    await recording.until(1)
    expect(recording.values()).toEqual(['2'])
  })

  it('reports missing permissions, and reads once they are granted', async () => {
    await admin.sendCommand(['ACL', 'SETUSER', 'default', '-xread'])
    const recording = await listen(store.streams, [KEY])
    await appendSurely(1)
    const refusals = () => messages.filter((message) => message.includes('refuses stream reads'))
    await expect.poll(refusals).toHaveLength(1)
    await sleep(300)
    expect(refusals()).toHaveLength(1)
    await admin.sendCommand(['ACL', 'SETUSER', 'default', '+xread'])
    await expectAll(recording, 1)
  })

  it('ends soon while it waits, while the server hangs and while it is down', async () => {
    const recordings = [await listen(store.streams, [KEY]), await listen(store.streams, [KEY])]
    while ((await clients('xread')).length < 2) await sleep(10)
    await expectSoon(recordings[0]?.close())
    while ((await clients('xread')).length > 1) await sleep(10)
    server.pause()
    await expectSoon(recordings[1]?.close())
    server.resume()
    while ((await clients('xread')).length > 0) await sleep(10)
    const last = await listen(store.streams, [KEY])
    await server.kill()
    await expectSoon(last.close())
  })

  it('ends with its store', async () => {
    await listen(store.streams, [KEY])
    while ((await clients('xread')).length < 1) await sleep(10)
    await store.close()
    while ((await clients('xread')).length > 0) await sleep(10)
    await expect(listen(store.streams, [KEY])).rejects.toMatchObject({ code: 'unavailable' })
  })
})

async function expectSoon(closing: Promise<void> | undefined): Promise<void> {
  const startedAt = performance.now()
  await closing
  // Less than a follower waits before it closes a silent connection.
  expect(performance.now() - startedAt).toBeLessThan(3000)
}
