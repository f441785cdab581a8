/** Restarts and hangs of Redis under three nodes with calls and streams. */

import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { structured } from '../support/clients.ts'
import { listen, listenTo, responseTo } from '../support/event-reader.ts'
import { FULL_CLIENTS } from '../support/full-clients.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { startSteadyLoad } from '../support/steady-load.ts'
import {
  expectDelivery,
  expectUnavailable,
  startSurvivors,
  untilRecovered,
} from '../support/survivors.ts'
import { faultsIn, type ThreeNodes, useThreeNodes } from '../support/three-nodes.ts'
import { type Answer, connect, post, postModern, read, request } from '../support/wire.ts'

const call = (name: string, input: object = {}, id = 'call') =>
  request('tools/call', { name, arguments: input }, id)

describeRedis('plain', 'three nodes whose Redis fails', () => {
  let cluster: ThreeNodes
  let [a, b, c] = ['', '', '']
  const closeLater = useThreeNodes((started) => {
    cluster = started
    ;[a, b, c] = started.urls
  })

  const timed = async (response: Promise<Answer>) => {
    const started = performance.now()
    return { answer: await response, ms: performance.now() - started }
  }

  async function expectRefusals(headers: Readonly<Record<string, string>>): Promise<void> {
    for (const url of [a, b, c]) {
      const { answer, ms } = await timed(read(post(url, call('where'), headers)))
      expectUnavailable(answer)
      expect(ms).toBeLessThan(2000)
      expect((await fetch(`${url}/readyz`)).status).toBe(503)
      const modern = await timed(
        read(postModern(url, 'tools/call', { name: 'where', arguments: {} })),
      )
      expect(modern.answer.message.result).toMatchObject({ structuredContent: { text: '' } })
      expect(modern.ms).toBeLessThan(1000)
    }
  }

  test('it restarts', { timeout: 60_000 }, async () => {
    const { headers, streams, slowText } = await startSurvivors(cluster, closeLater)
    await cluster.redis.kill()
    try {
      await delay(100)
      await expectRefusals(headers)
      expect(await slowText()).toBe('slow')
    } finally {
      await cluster.redis.restart()
    }
    expect(await untilRecovered(cluster, headers)).toBeLessThan(4000)
    await expectDelivery(cluster, streams)
  })

  test('it hangs', { timeout: 60_000 }, async () => {
    const { headers, streams, slowText } = await startSurvivors(cluster, closeLater)
    cluster.redis.pause()
    try {
      await expectRefusals(headers)
      expect(await slowText()).toBe('slow')
    } finally {
      cluster.redis.resume()
    }
    expect(await untilRecovered(cluster, headers)).toBeLessThan(5000)
    await expectDelivery(cluster, streams)
  })

  test('a call is not declared lost because of missed heartbeats', {
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
    const second = closeLater(await listen(`${a}/mcp`, from))
    const { message } = await second.until(responseTo('call'), 20_000)
    expect(structured<{ text: string }>(message?.result ?? {}).text).toBe('survivor')
  })

  const untilServed = (headers: Record<string, string>) =>
    expect
      .poll(async () => (await read(post(a, call('where', {}, 'x'), headers))).status, {
        timeout: 10_000,
        interval: 10,
      })
      .toBe(200)

  test('it restarts under load, and no MCP session is lost', { timeout: 60_000 }, async () => {
    const load = await startSteadyLoad(cluster.url, FULL_CLIENTS)
    await delay(1500)
    await cluster.redis.kill()
    await delay(500)
    await cluster.redis.restart()
    const restarted = performance.now()
    await delay(5000)
    await load.untilMoreThan(100)
    const { calls, failures } = await load.stop()
    expect(calls).toBeGreaterThan(100)
    // Only calls of the 2025 era need Redis, and only until a moment after it is back.
    expect(failures.filter(({ text }) => text.includes('2026-07-28'))).toEqual([])
    const failedAt = Math.max(0, ...failures.map((failure) => failure.failedAt))
    expect(failedAt - restarted).toBeLessThan(3000)
  })

  test('no fault was logged', () => {
    expect(faultsIn(cluster.logs())).toEqual([])
  })
})
