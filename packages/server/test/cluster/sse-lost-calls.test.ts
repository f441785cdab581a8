/** Calls over the older transport whose node is lost: answered with an error, once. */

import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { structured } from '../support/clients.ts'
import { type Listening, responseTo } from '../support/event-reader.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { initializeSse, openSse, sendSse } from '../support/sse.ts'
import { faultsIn, type ThreeNodes, useThreeNodes } from '../support/three-nodes.ts'
import { request } from '../support/wire.ts'

const where = (text: string, delayMs = 0) =>
  request('tools/call', { name: 'where', arguments: { text, delayMs } }, text)

describeRedis('plain', 'calls over the older transport, on nodes that are lost', () => {
  let cluster: ThreeNodes
  let [a, b, c] = ['', '', '']
  const closeLater = useThreeNodes((started) => {
    cluster = started
    ;[a, b, c] = started.urls
  })

  async function get(url: string, sessionId?: string, headers: Record<string, string> = {}) {
    return closeLater(await openSse(url, sessionId, headers))
  }

  const answersIn = ({ messages }: Listening, id: string) =>
    messages.filter((message) => message.id === id)

  /** Waits for the response of another call: earlier messages have arrived by then. */
  async function settle(stream: Listening, url: string, path: string, text: string) {
    expect((await sendSse(url, path, where(text))).status).toBe(202)
    const { message } = await stream.until(responseTo(text))
    expect(structured<{ text: string }>(message?.result ?? {}).text).toBe(text)
  }

  test('a call is answered with an error soon after its node is killed', async () => {
    const { stream, path } = await initializeSse(await get(a), [b, c])
    await sendSse(b, path, where('answered'))
    await stream.until(responseTo('answered'))
    expect((await sendSse(b, path, where('lost', 60_000))).status).toBe(202)
    expect((await sendSse(c, path, where('kept', 9000))).status).toBe(202)
    cluster.node(1).child.kill('SIGKILL')
    const { message } = await stream.until(responseTo('lost'))
    expect(message?.error).toMatchObject({ code: -32603, message: /was lost/ })
    await stream.until(responseTo('kept'))
    await settle(stream, c, path, 'after')
    const ids = stream.messages.map(({ id }) => id)
    // On a busy machine, the loss may be noticed after the other call has ended.
    expect(ids.toSorted()).toEqual(['after', 'answered', 'init', 'kept', 'lost'])
    expect(ids.at(-1)).toBe('after')
    await cluster.revive(1)
  })

  test('a call that was lost together with the stream is answered with an error when its client reconnects', async () => {
    const { stream, path, id } = await initializeSse(await get(a), [a])
    expect((await sendSse(a, path, where('first', 60_000))).status).toBe(202)
    expect((await sendSse(a, path, where('second', 60_000))).status).toBe(202)
    cluster.node(0).child.kill('SIGKILL')
    expect(await stream.ended).toBe(false)
    // The client reconnects with the last event id, then with its session id only.
    const next = await get(b, undefined, { 'last-event-id': stream.lastId ?? '' })
    await next.until(responseTo('first'))
    await next.until(responseTo('second'))
    const last = await get(c, id)
    await last.until(({ event }) => event === 'endpoint')
    await settle(last, b, path, 'after')
    for (const each of ['first', 'second']) {
      expect(answersIn(next, each)).toMatchObject([{ error: { message: /was lost/ } }])
      expect(answersIn(last, each)).toEqual([])
    }
    await cluster.revive(0)
  })

  test('a client that reconnects much later, with its session id only, gets the error, too', async () => {
    const { stream, path, id } = await initializeSse(await get(a), [a])
    expect((await sendSse(b, path, where('lost', 60_000))).status).toBe(202)
    stream.close()
    await stream.ended
    cluster.node(1).child.kill('SIGKILL')
    await cluster.revive(1)
    await delay(6000)
    const next = await get(c, id)
    await next.until(responseTo('lost'))
    await settle(next, b, path, 'after')
    expect(answersIn(next, 'lost')).toHaveLength(1)
  })

  test('a node that was only paused does not answer a second time', async () => {
    const { stream, path } = await initializeSse(await get(a), [c])
    expect((await sendSse(c, path, where('late', 3000))).status).toBe(202)
    const { child } = cluster.node(2)
    child.kill('SIGSTOP')
    await stream.until(responseTo('late'))
    child.kill('SIGCONT')
    // Its tool continues, without a recipient.
    await expect
      .poll(() => cluster.node(2).output.stdout)
      .toContain('running call was declared lost')
    await settle(stream, c, path, 'after')
    expect(answersIn(stream, 'late')).toMatchObject([{ error: { message: /was lost/ } }])
  })

  test('a cancelled call has no response when its node is killed', async () => {
    const { stream, path } = await initializeSse(await get(a), [a])
    expect((await sendSse(b, path, where('unwanted', 60_000))).status).toBe(202)
    await expect.poll(() => cluster.node(1).output.stdout).toMatch(/"unwanted".*"waiting"/)
    const params = { requestId: 'unwanted' }
    await sendSse(c, path, { jsonrpc: '2.0', method: 'notifications/cancelled', params })
    await expect.poll(() => cluster.node(1).output.stdout).toMatch(/"unwanted".*"aborted"/)
    expect((await sendSse(b, path, where('lost', 60_000))).status).toBe(202)
    cluster.node(1).child.kill('SIGKILL')
    await stream.until(responseTo('lost'))
    await settle(stream, c, path, 'after')
    expect(answersIn(stream, 'unwanted')).toEqual([])
    await cluster.revive(1)
  })

  test('no fault was logged', () => {
    expect(faultsIn(cluster.logs())).toEqual([])
  })
})
