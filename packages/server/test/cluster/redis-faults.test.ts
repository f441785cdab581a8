/** Restarts and hangs of Redis under three nodes with calls and streams. */

import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { structured } from '../support/clients.ts'
import { listen, listenTo, responseTo } from '../support/event-reader.ts'
import { expectWithin } from '../support/expect-within.ts'
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
import { connect, post, postModern, read, request } from '../support/wire.ts'

const TIMEOUT_MS = 1000
/** More than the longest pause between two attempts to connect, on a busy machine. */
const RECOVERY_MS = 25_000

const call = (name: string, input: object = {}, id = 'call') =>
  request('tools/call', { name, arguments: input }, id)

describeRedis('plain', 'three nodes whose Redis fails', () => {
  let cluster: ThreeNodes
  let [a, b, c] = ['', '', '']
  const closeLater = useThreeNodes(
    (started) => {
      cluster = started
      ;[a, b, c] = started.urls
    },
    { env: () => ({ STORE_TIMEOUT_MS: String(TIMEOUT_MS) }) },
  )

  async function expectRefusals(headers: Readonly<Record<string, string>>): Promise<void> {
    for (const url of [a, b, c]) {
      await expectWithin(2 * TIMEOUT_MS, async () =>
        expectUnavailable(await read(post(url, call('where'), headers))),
      )
      expect((await fetch(`${url}/readyz`)).status).toBe(503)
      await expectWithin(TIMEOUT_MS, async () => {
        const params = { name: 'where', arguments: {} }
        const { message } = await read(postModern(url, 'tools/call', params))
        expect(message.result).toMatchObject({ structuredContent: { text: '' } })
      })
    }
  }

  test('it restarts', async () => {
    const { headers, streams, slowText } = await startSurvivors(cluster, closeLater)
    await cluster.redis.kill()
    try {
      await delay(100)
      await expectRefusals(headers)
      expect(await slowText()).toBe('slow')
    } finally {
      await cluster.redis.restart()
    }
    expect(await untilRecovered(cluster, headers)).toBeLessThan(RECOVERY_MS)
    await expectDelivery(cluster, streams)
  })

  test('it hangs', async () => {
    const { headers, streams, slowText } = await startSurvivors(cluster, closeLater)
    cluster.redis.pause()
    try {
      await expectRefusals(headers)
      expect(await slowText()).toBe('slow')
    } finally {
      cluster.redis.resume()
    }
    expect(await untilRecovered(cluster, headers)).toBeLessThan(RECOVERY_MS)
    await expectDelivery(cluster, streams)
  })

  test('a call is not declared lost because of missed heartbeats', async () => {
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
    const { message } = await second.until(responseTo('call'))
    expect(structured<{ text: string }>(message?.result ?? {}).text).toBe('survivor')
  })

  const untilServed = (headers: Record<string, string>) =>
    expect
      .poll(async () => (await read(post(a, call('where', {}, 'x'), headers))).status, {
        interval: 10,
      })
      .toBe(200)

  test('it restarts under load, and no MCP session is lost', async () => {
    const load = await startSteadyLoad(cluster.url, FULL_CLIENTS)
    await delay(1500)
    await cluster.redis.kill()
    await delay(500)
    await cluster.redis.restart()
    const restarted = performance.now()
    await load.untilQuiet(5000)
    await load.untilMoreThan(100)
    const { calls, failures } = await load.stop()
    expect(calls).toBeGreaterThan(100)
    // Only calls of the 2025 era need Redis, and only until a moment after it is back.
    expect(failures.filter(({ text }) => text.includes('2026-07-28'))).toEqual([])
    const failedAt = Math.max(0, ...failures.map((failure) => failure.failedAt))
    expect(failedAt - restarted).toBeLessThan(RECOVERY_MS)
  })

  test('no fault was logged', () => {
    expect(faultsIn(cluster.logs())).toEqual([])
  })
})
