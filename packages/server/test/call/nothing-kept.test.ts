/** What a call leaves behind in the process: nothing, however it ended. */

import { Session } from 'node:inspector/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { connect, post, postModern, read, request } from '../support/wire.ts'

const inspector = new Session()
inspector.connect()

/** How many entries all maps and sets of the process have. */
async function entries(): Promise<number> {
  let sum = 0
  for (const kind of ['Map', 'Set']) {
    const { result } = await inspector.post('Runtime.evaluate', { expression: `${kind}.prototype` })
    const { objects } = await inspector.post('Runtime.queryObjects', {
      prototypeObjectId: result.objectId ?? '',
    })
    const counted = await inspector.post('Runtime.callFunctionOn', {
      objectId: objects.objectId ?? '',
      functionDeclaration: 'function () { return this.reduce((all, one) => all + one.size, 0) }',
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

  const CALLS = 24
  test.each<[string, () => Promise<unknown>]>([
    ['ordinary ones of the 2026 era', () => read(modern(0))],
    ['ordinary ones of the 2025 era', () => read(legacy(0))],
    ['those that became streams', () => read(legacy(400))],
    ['those that timed out', () => read(modern(1500))],
    ['those of the 2025 era that timed out', () => read(legacy(1500))],
    ['those whose clients went away', () => disconnected((signal) => modern(300, { signal }))],
    [
      'those of the 2025 era whose clients went away',
      () => disconnected((signal) => legacy(300, signal)),
    ],
    [
      'those that were cancelled',
      async () => {
        const id = `call-${nextId}`
        const answer = read(legacy(300))
        await delay(50)
        const params = { requestId: id, reason: 'no longer needed' }
        await post(
          app.url,
          { jsonrpc: '2.0', method: 'notifications/cancelled', params },
          connection,
        )
        await answer
      },
    ],
    ['those that the SDK answers', () => read(modern(0, { meta: { progressToken: 'token' } }))],
    ['those that are refused', () => read(modern(-0.5))],
  ])('%s', async (_what, call) => {
    const round = async () => {
      for (let started = 0; started < CALLS; started += 12) {
        await Promise.all(Array.from({ length: 12 }, call))
      }
      // What tools left running is over.
      await delay(700)
      return entries()
    }
    await round()
    const before = await round()
    expect((await round()) - before).toBeLessThan(CALLS / 2)
  })
})
