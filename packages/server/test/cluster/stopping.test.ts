/** Shutdown, restart and crash of nodes among three: the effect on clients. */

import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { structured } from '../support/clients.ts'
import { type Listening, listen, listenTo, responseTo } from '../support/event-reader.ts'
import { FULL_CLIENTS } from '../support/full-clients.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { startSteadyLoad } from '../support/steady-load.ts'
import { faultsIn, type ThreeNodes, useThreeNodes } from '../support/three-nodes.ts'
import { connect, post, postModern, read, request } from '../support/wire.ts'

const where = (text: string, delayMs = 0) =>
  request('tools/call', { name: 'where', arguments: { text, delayMs } }, 'call')

describeRedis('plain', 'nodes that stop', () => {
  let cluster: ThreeNodes
  let [a, b, c] = ['', '', '']
  const closeLater = useThreeNodes(
    (started) => {
      cluster = started
      ;[a, b, c] = started.urls
    },
    // A busy machine must reach the stopping node of the first test while it accepts connections.
    { env: (index) => ({ STOP_DELAY: index === 0 ? '5' : '1' }) },
  )

  const opened = async (opening: Promise<Listening>) => {
    const stream = closeLater(await opening)
    await stream.until(({ data, id }) => data !== '' || id !== undefined)
    return stream
  }
  const get = (url: string, headers: Record<string, string>, lastId?: string) =>
    opened(listen(`${url}/mcp`, { ...headers, ...(lastId && { 'last-event-id': lastId }) }))

  test('a stopping node releases everything, and exits', async () => {
    const headers = await connect(a)
    const stream = await get(a, headers)
    const sse = await opened(listen(`${a}/sse`, {}))
    const notifications = { toolsListChanged: true }
    const modern = await opened(
      listenTo((signal) => postModern(a, 'subscriptions/listen', { notifications }, { signal })),
    )
    const params = { name: 'where', arguments: { text: 'modern', delayMs: 8000 } }
    const modernCall = read(postModern(a, 'tools/call', params))
    const call = await opened(listenTo((signal) => post(a, where('old', 8000), headers, signal)))
    const elsewhere = await connect(b)
    const far = await opened(listenTo((signal) => post(b, where('far', 9000), elsewhere, signal)))
    far.close()
    const resumed = await get(a, { ...elsewhere }, far.lastId)
    const newcomer = await connect(b)

    const signalled = performance.now()
    cluster.node(0).child.kill('SIGTERM')
    await cluster.node(0).line('stopping')
    expect((await fetch(`${a}/readyz`)).status).toBe(503)
    // A client that connects to the stopping node gets an event id, with which it resumes elsewhere.
    const late = await get(a, newcomer)
    expect(await late.ended).toBe(true)
    expect([late.retry, late.lastId]).toEqual([500, expect.stringMatching(/^s\./)])
    await expect(postModern(a, 'subscriptions/listen', { notifications })).rejects.toThrow()

    for (const each of [stream, sse, resumed]) {
      expect(await each.ended).toBe(true)
      expect(each.retry).toBe(500)
    }
    // Aborted, not ended: clients treat an end as final, and this one must reconnect.
    expect(await modern.ended).toBe(false)

    // Events that the stream at the stopping node missed arrive at another.
    await read(postModern(b, 'tools/call', { name: 'change', arguments: {} }))
    const next = await get(c, headers, stream.lastId)
    await next.until(({ message }) => message?.method === 'notifications/tools/list_changed')

    const { message } = await call.until(responseTo('call'))
    expect(structured<{ text: string }>(message?.result ?? {}).text).toBe('old')
    const modernAnswer = await modernCall
    expect(structured<{ text: string }>(modernAnswer.message.result ?? {}).text).toBe('modern')
    expect(await cluster.node(0).exited).toEqual({ code: 0, signal: null })
    // Less than the longest wait for running calls.
    expect(performance.now() - signalled).toBeLessThan(20_000)

    const again = await get(c, elsewhere, resumed.lastId)
    await again.until(responseTo('call'))
    await cluster.revive(0)
  })

  test('all three restart in turn, and no call fails', { timeout: 240_000 }, async () => {
    const load = await startSteadyLoad(cluster.url, FULL_CLIENTS)
    for (const index of [0, 1, 2]) {
      await delay(500)
      await load.untilServedBy(3 + index)
      expect(await cluster.node(index).stop()).toEqual({ code: 0, signal: null })
      await cluster.revive(index)
    }
    await load.untilServedBy(6)
    await load.untilMoreThan(100)
    const { calls, failures, pids } = await load.stop()
    expect(failures).toEqual([])
    expect(calls).toBeGreaterThan(100)
    expect(pids.size).toBe(6)
  })

  test('a killed node loses only its own calls', async () => {
    const load = await startSteadyLoad(cluster.url, FULL_CLIENTS)
    const headers = await connect(b)
    await read(post(b, request('tools/call', remember('kept')), headers))
    const stream = await get(b, headers)
    const direct = post(b, where('fast enough', 5000), headers)
      .then(read)
      .catch(() => 'cut off')
    await delay(500)
    const { child, exited } = cluster.node(1)
    child.kill('SIGKILL')
    await exited
    const killed = performance.now()
    expect(await stream.ended).toBe(false)
    expect(await direct).toBe('cut off')
    // At once, not after missed heartbeats.
    expect(performance.now() - killed).toBeLessThan(4000)
    const next = await get(c, headers, stream.lastId)
    await read(postModern(a, 'tools/call', { name: 'change', arguments: {} }))
    await next.until(({ message }) => message?.method === 'notifications/tools/list_changed')
    const { message } = await read(post(a, request('tools/call', remember()), headers))
    expect(structured<{ before: string }>(message.result ?? {}).before).toBe('kept')
    await delay(500)
    const { failures, slowestMs } = await load.stop()
    // The calls that ran on that node, and none later.
    expect(failures.filter(({ startedAt }) => startedAt > killed)).toEqual([])
    // Calls whose node is lost are answered with an error after missed heartbeats.
    expect(slowestMs).toBeLessThan(30_000)
    await cluster.revive(1)
  })

  test('no fault was logged', () => {
    expect(faultsIn(cluster.logs())).toEqual([])
  })
})

const remember = (text?: string) => ({ name: 'remember', arguments: { text } })
