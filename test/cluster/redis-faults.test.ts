/** Redis restarts or hangs under three nodes with calls and streams: they refuse, wait, and go on. */

import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { structured } from '../support/clients.ts'
import { answering, type Listening, listen, listenTo } from '../support/event-reader.ts'
import { FULL_CLIENTS } from '../support/full-clients.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { startSteadyLoad } from '../support/steady-load.ts'
import { faultsIn, type ThreeNodes, useThreeNodes } from '../support/three-nodes.ts'
import { type Answer, connect, post, postModern, read, request } from '../support/wire.ts'

const call = (name: string, input: object = {}, id = 'call') =>
  request('tools/call', { name, arguments: input }, id)

const LIST_CHANGED = 'notifications/tools/list_changed'

describeRedis('plain', 'three nodes whose Redis fails', () => {
  let cluster: ThreeNodes
  let [a, b, c] = ['', '', '']
  const keep = useThreeNodes((started) => {
    cluster = started
    ;[a, b, c] = started.urls
  })

  /** A connection with a session, a stream of each era, and a call that is under way. */
  async function prepare() {
    const headers = await connect(a)
    await read(post(b, call('remember', { text: 'kept' }), headers))
    const stream = keep(await listen(`${a}/mcp`, headers))
    const params = { notifications: { toolsListChanged: true } }
    const modern = keep(
      await listenTo((signal) => postModern(b, 'subscriptions/listen', params, { signal })),
    )
    await modern.until(({ message }) => message !== undefined)
    // Longer than a second: Redis writes what it was told to disk once a second.
    await delay(1200)
    const slow = { text: 'slow', delayMs: 2000 }
    const running = await listenTo((signal) => post(c, call('where', slow), headers, signal))
    return { headers, stream, modern, running }
  }

  const timed = async (answering: Promise<Answer>) => {
    const started = performance.now()
    return { answer: await answering, ms: performance.now() - started }
  }

  async function expectRefusals(headers: Record<string, string>): Promise<void> {
    for (const url of cluster.urls) {
      const { answer, ms } = await timed(read(post(url, call('where'), headers)))
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
      expect(ms).toBeLessThan(2000)
      expect((await fetch(`${url}/readyz`)).status).toBe(503)
      const modern = await timed(
        read(postModern(url, 'tools/call', { name: 'where', arguments: {} })),
      )
      expect(modern.answer.message.result).toMatchObject({ structuredContent: { text: '' } })
      expect(modern.ms).toBeLessThan(1000)
    }
  }

  /** How long it takes until every node serves a connection again. */
  async function recover(headers: Record<string, string>): Promise<number> {
    const started = performance.now()
    for (const url of cluster.urls) {
      await expect
        .poll(async () => (await read(post(url, call('remember'), headers))).status, {
          timeout: 10_000,
          interval: 20,
        })
        .toBe(200)
      const { message } = await read(post(url, call('remember'), headers))
      expect(structured<{ before: string }>(message.result ?? {}).before).toBe('kept')
    }
    return performance.now() - started
  }

  async function expectStreams(...streams: readonly Listening[]): Promise<void> {
    const counts = () =>
      streams.map(({ messages }) => messages.filter(({ method }) => method === LIST_CHANGED).length)
    const before = counts()
    await read(postModern(c, 'tools/call', { name: 'change', arguments: {} }))
    await expect.poll(counts, { timeout: 10_000 }).toEqual(before.map((count) => count + 1))
  }

  test('it restarts', { timeout: 60_000 }, async () => {
    const { headers, stream, modern, running } = await prepare()
    await cluster.redis.kill()
    await delay(100)
    await expectRefusals(headers)
    const { message } = await running.until(answering('call'))
    expect(structured<{ text: string }>(message?.result ?? {}).text).toBe('slow')
    await cluster.redis.restart()
    const ms = await recover(headers)
    expect(ms).toBeLessThan(4000)
    await expectStreams(stream, modern)
  })

  test('it hangs', { timeout: 60_000 }, async () => {
    const { headers, stream, modern, running } = await prepare()
    cluster.redis.pause()
    try {
      await expectRefusals(headers)
      const { message } = await running.until(answering('call'))
      expect(structured<{ text: string }>(message?.result ?? {}).text).toBe('slow')
    } finally {
      cluster.redis.resume()
    }
    const ms = await recover(headers)
    expect(ms).toBeLessThan(5000)
    await expectStreams(stream, modern)
  })

  test('a call is not taken for dead because heartbeats were missed', {
    timeout: 60_000,
  }, async () => {
    const headers = await connect(a)
    const slow = { text: 'survivor', delayMs: 12_000 }
    const first = await listenTo((signal) => post(c, call('where', slow), headers, signal))
    await first.until(({ id }) => id !== undefined)
    first.close()
    cluster.redis.pause()
    await delay(6500)
    cluster.redis.resume()
    await untilServed(headers)
    const from = { ...headers, 'last-event-id': first.lastId ?? '' }
    const second = keep(await listen(`${a}/mcp`, from))
    const { message } = await second.until(answering('call'), 20_000)
    expect(structured<{ text: string }>(message?.result ?? {}).text).toBe('survivor')
  })

  const untilServed = (headers: Record<string, string>) =>
    expect
      .poll(async () => (await read(post(a, call('where', {}, 'x'), headers))).status, {
        timeout: 10_000,
        interval: 10,
      })
      .toBe(200)

  test('it restarts under load, and no connection is lost', { timeout: 60_000 }, async () => {
    const load = await startSteadyLoad(cluster.url, FULL_CLIENTS)
    await delay(1500)
    await cluster.redis.kill()
    await delay(500)
    await cluster.redis.restart()
    const restarted = performance.now()
    await delay(5000)
    const { calls, failures, failedAt } = await load.stop()
    expect(calls).toBeGreaterThan(100)
    // Only calls of the 2025 era need Redis, and only until a moment after it is back.
    expect(failures.filter((failure) => failure.includes('2026-07-28'))).toEqual([])
    expect(Math.max(0, ...failedAt) - restarted).toBeLessThan(3000)
  })

  test('nothing went wrong inside', () => {
    expect(faultsIn(cluster.logs())).toEqual([])
  })
})
