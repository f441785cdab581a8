/** A call leaves nothing in the process, however it ended (no leaks). */

import { Session } from 'node:inspector/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { connect, post, postModern, read, request } from '../support/wire.ts'

const inspector = new Session()
inspector.connect()

/** The number of entries of all maps and sets of the process. */
async function entries(): Promise<number> {
  let sum = 0
  for (const kind of ['Map', 'Set']) {
    const { result } = await inspector.post('Runtime.evaluate', { expression: `${kind}.prototype` })
    const { objects } = await inspector.post('Runtime.queryObjects', {
      prototypeObjectId: result.objectId ?? '',
    })
    const counted = await inspector.post('Runtime.callFunctionOn', {
      objectId: objects.objectId ?? '',
      functionDeclaration:
        'function () { return this.reduce((all, one) => all + sizeOf(one), 0); function sizeOf(one) { try { return one.size } catch { return 0 } } }',
      returnByValue: true,
    })
    sum += Number(counted.result.value)
  }
  await inspector.post('Runtime.releaseObjectGroup', { objectGroup: '' })
  return sum
}

describeRedis('plain', 'nothing is kept of calls', () => {
  let redis: RedisServer
  let app: TestApp
  let connection: Readonly<Record<string, string>>
  beforeAll(async () => {
    redis = await startRedis('plain')
    app = await startApp({
      catalogDirectory: `${import.meta.dirname}/../fixtures/faults`,
      env: { REDIS_URL: redis.url, TOOL_TIMEOUT: '1' },
    })
    connection = await connect(app.url)
  })
  afterAll(async () => {
    await app.stop()
    await redis.stop()
  })

  const wait = (ms: number) => ({ name: 'wait', arguments: { ms } })
  let nextId = 0
  const legacy = (ms: number, signal?: AbortSignal) =>
    post(app.url, request('tools/call', wait(ms), `call-${nextId++}`), connection, signal)
  const modern = (ms: number, options: object = {}) =>
    postModern(app.url, 'tools/call', wait(ms), options)

  async function disconnected(call: (signal: AbortSignal) => Promise<Response>): Promise<void> {
    const leaving = new AbortController()
    const answer = read(call(leaving.signal)).catch(() => undefined)
    await delay(100)
    leaving.abort()
    await answer
  }

  /** Calls that end in different ways. */
  const kinds: readonly (() => Promise<unknown>)[] = [
    () => read(modern(0)),
    () => read(legacy(0)),
    // Becomes a stream.
    () => read(legacy(400)),
    // Times out.
    () => read(modern(1200)),
    () => read(legacy(1200)),
    // The client disconnects.
    () => disconnected((signal) => modern(300, { signal })),
    () => disconnected((signal) => legacy(300, signal)),
    () => cancelled(),
    // Served by the SDK.
    () => read(modern(0, { meta: { progressToken: 'token' } })),
    () => read(modern(0.5)),
  ]

  async function cancelled(): Promise<void> {
    const requestId = `call-${nextId}`
    const answer = read(legacy(300))
    await delay(50)
    const params = { requestId, reason: 'no longer needed' }
    await post(app.url, { jsonrpc: '2.0', method: 'notifications/cancelled', params }, connection)
    await answer
  }

  const AT_ONCE = 8
  const ROUNDS = 4

  async function round(): Promise<void> {
    for (const call of kinds) await Promise.all(Array.from({ length: AT_ONCE }, call))
    // Work that tools left running has ended.
    await delay(500)
  }

  test('however they end', { timeout: 240_000 }, async () => {
    // Warms up: sockets of the clients, and entries of caches.
    for (let at = 0; at < 2; at += 1) await round()
    const before = await entries()
    for (let at = 0; at < ROUNDS; at += 1) await round()
    // A leak of one entry per call of one kind would exceed this.
    const kept = async () => (await entries()) - before
    await expect.poll(kept, { interval: 500 }).toBeLessThan(AT_ONCE * ROUNDS * 0.75)
  })
})
