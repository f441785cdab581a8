/** Three nodes under a steady load of both eras, with many open streams, while one of them is killed. */

import { readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type HandOver, passOn } from '../../../../scripts/cluster/balancer.ts'
import { type Listening, listen, listenTo } from '../support/event-reader.ts'
import { FULL_CLIENTS } from '../support/full-clients.ts'
import { suiteTopology } from '../support/redis-of-suite.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { startSteadyLoad } from '../support/steady-load.ts'
import { expectDelivery } from '../support/survivors.ts'
import { faultsIn, type ThreeNodes, useThreeNodes } from '../support/three-nodes.ts'
import { connect, post, postModern, read, request } from '../support/wire.ts'

const STREAMS_OF_EACH_ERA = 100
const KILLED = 1
const SHARDS = 3
/** About a hundred calls a second if the machine permits: thirty clients, three or four each. */
const LOAD = { clientsOfEachKind: 10, pauseMs: 220 }

describeRedis('plain', 'three nodes under load', () => {
  let cluster: ThreeNodes
  /** The node of each call and each stream, by its text or its header. */
  const nodeOf = new Map<string, number>()
  const handOver: HandOver = (incoming, response, to) => {
    nodeOf.set(String(incoming.headers['x-name']), to.node)
    incoming.on('data', (chunk: Buffer) => {
      const [, text] = /"text":"([^"]+)"/.exec(String(chunk)) ?? []
      if (text !== undefined) nodeOf.set(text, to.node)
    })
    passOn(incoming, response, to)
  }
  const closeLater = useThreeNodes(
    (started) => {
      cluster = started
    },
    { env: () => ({ LOG_LEVEL: 'info' }), balancing: { handOver } },
  )

  /** A stream of the 2025 era, or its continuation. */
  const openStream = async (name: string, headers: Readonly<Record<string, string>>) =>
    closeLater(await listen(`${cluster.url}/mcp`, { ...headers, 'x-name': name }))

  /** Streams of both eras, through the balancer. */
  async function openStreams() {
    const params = { notifications: { toolsListChanged: true } }
    const old = async (name: string) => {
      const headers = await connect(cluster.url)
      return { name, headers, stream: await openStream(name, headers) }
    }
    const modern = async (name: string) => {
      const options = { headers: { 'x-name': name } }
      const stream = await listenTo((signal) =>
        postModern(cluster.url, 'subscriptions/listen', params, { ...options, signal }),
      )
      return { name, headers: undefined, stream: closeLater(stream) }
    }
    const numbers = Array.from({ length: STREAMS_OF_EACH_ERA }, (_, number) => number)
    return Promise.all(
      numbers.flatMap((number) => [old(`old stream ${number}`), modern(`stream ${number}`)]),
    )
  }

  /** Calls that run on every node for longer than the load. */
  async function startSlowCalls() {
    const calls: { text: string; isAnswered: Promise<boolean> }[] = []
    const hasOne = (node: number) => calls.some(({ text }) => nodeOf.get(text) === node)
    while (![0, 1, 2].every(hasOne)) {
      const text = `slow ${calls.length}`
      const params = { name: 'where', arguments: { text, delayMs: 15_000 } }
      const [headers, era] = [await connect(cluster.url), calls.length % 2]
      const answer = read(
        era === 0
          ? post(cluster.url, request('tools/call', params), headers)
          : postModern(cluster.url, 'tools/call', params),
      )
      const isAnswered = answer.then(
        ({ message }) => message.result !== undefined,
        () => false,
      )
      calls.push({ text, isAnswered })
      await expect.poll(() => nodeOf.has(text), { interval: 5 }).toBe(true)
    }
    return calls
  }

  const survivors = () => [0, 1, 2].filter((node) => node !== KILLED)
  const handles = () =>
    survivors().map((node) => readdirSync(`/proc/${cluster.node(node).child.pid}/fd`).length)

  test.skipIf(process.platform !== 'linux')(
    'one is killed: only its calls fail, no session is lost, and no handle stays open',
    { timeout: 240_000 },
    async ({ annotate }) => {
      const atFirst = handles()
      const opened = await openStreams()
      const load = await startSteadyLoad(cluster.url, FULL_CLIENTS, LOAD)
      await delay(3000)
      const slow = await startSlowCalls()
      expect(Math.min(...handles())).toBeGreaterThan(Math.max(...atFirst) + 50)
      const { child, exited } = cluster.node(KILLED)
      child.kill('SIGKILL')
      await exited
      const killedAt = performance.now()
      await delay(5000)
      await load.untilMoreThan(200)
      const report = await load.stop()
      await annotate(`${Math.round(report.callsPerSecond)} calls a second`)

      for (const { text, startedAt } of report.failures) {
        expect([text, nodeOf.get(text)]).toEqual([text, KILLED])
        expect(startedAt).toBeLessThan(killedAt)
      }
      for (const { text, isAnswered } of slow) {
        expect([text, await isAnswered]).toEqual([text, nodeOf.get(text) !== KILLED])
      }
      expect(report.forgotten).toEqual([])
      expect(report.calls).toBeGreaterThan(200)

      const streams: Listening[] = []
      for (const { name, headers, stream } of opened) {
        if (nodeOf.get(name) !== KILLED) {
          streams.push(stream)
          continue
        }
        expect(await stream.ended).toBe(false)
        if (headers === undefined) continue
        const from = { ...headers, 'last-event-id': stream.lastId ?? '' }
        streams.push(await openStream(name, from))
      }
      expect(streams.length).toBeGreaterThan(STREAMS_OF_EACH_ERA)
      await expectDelivery({ urls: [cluster.url, cluster.url, cluster.url] }, streams)

      for (const stream of streams) stream.close()
      await Promise.all(streams.map(({ ended }) => ended))
      // Connections to the shards of a cluster open on first use.
      const connections = suiteTopology() === 'cluster' ? SHARDS : 0
      const left = () => handles().map((count, index) => count - (atFirst[index] ?? 0))
      // Probes of the balancer may have opened a second connection, which is kept for a minute.
      await expect
        .poll(() => Math.max(...left()), { timeout: 90_000 })
        .toBeLessThanOrEqual(connections)
    },
  )

  test('no fault was logged', () => {
    expect(faultsIn(cluster.logs())).toEqual([])
  })
})
