/** Streams on three nodes: every change reaches every stream, once and in order (fan-out). */

import { describe, expect, test } from 'vitest'
import { type Listening, listen, listenTo, withMethod } from '../support/event-reader.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { faultsIn, type ThreeNodes, useThreeNodes } from '../support/three-nodes.ts'
import { connect, post, postModern, read, request } from '../support/wire.ts'

type Headers = Record<string, string>

const LIST_CHANGED = 'notifications/tools/list_changed'
const UPDATED = 'notifications/resources/updated'

describeRedis('plain', 'streams on three nodes', () => {
  let cluster: ThreeNodes
  let [a, b, c] = ['', '', '']
  const closeLater = useThreeNodes((started) => {
    cluster = started
    ;[a, b, c] = started.urls
  })

  async function get(url: string, headers: Headers, lastId?: string): Promise<Listening> {
    const from: Headers = lastId === undefined ? {} : { 'last-event-id': lastId }
    const stream = closeLater(await listen(`${url}/mcp`, { ...headers, ...from }))
    if (stream.response.ok) await stream.until(({ id }) => id !== undefined)
    return stream
  }

  /** Calls `change` at a node, as a caller without these streams. */
  async function change(url: string, uri?: string): Promise<void> {
    const params = { name: 'change', arguments: { uri } }
    expect((await read(postModern(url, 'tools/call', params))).status).toBe(200)
  }

  const subscription = async (url: string, headers: Headers, verb: string, uri: string) =>
    expect((await read(post(url, request(`resources/${verb}`, { uri }), headers))).message).toEqual(
      { jsonrpc: '2.0', id: 1, result: {} },
    )

  const urisIn = ({ messages }: Listening) =>
    messages.filter(({ method }) => method === UPDATED).map(({ params }) => params?.uri)

  /** Waits for a last change on all streams: earlier ones have arrived by then. */
  async function settle(streams: readonly Listening[]): Promise<void> {
    // A stream that was refused, such as by 503, receives nothing.
    expect(streams.map(({ response }) => response.status)).toEqual(streams.map(() => 200))
    const counts = streams.map(({ messages }) => countOf(messages))
    await change(c)
    await expect
      .poll(() => streams.map(({ messages }) => countOf(messages)))
      .toEqual(counts.map((count) => count + 1))
  }

  const countOf = (messages: Listening['messages']) =>
    messages.filter(({ method }) => method === LIST_CHANGED).length

  test('a change at one node reaches the stream at another (fan-out)', async () => {
    const stream = await get(a, await connect(b))
    await change(b)
    await stream.until(withMethod(LIST_CHANGED))
    await change(c)
    await expect.poll(() => countOf(stream.messages)).toBe(2)
  })

  test('subscriptions at other nodes apply to the stream, at once, and until they end', async () => {
    const headers = await connect(b)
    const stream = await get(a, headers)
    const stranger = await get(b, await connect(a))
    await change(b, 'test://note/1')
    for (let turn = 0; turn < 20; turn += 1) {
      const uri = `test://note/${turn}`
      await subscription(c, headers, 'subscribe', uri)
      await change(b, uri)
      await change(c, 'test://note/other')
      // After `unsubscribe` no pending change is delivered.
      await stream.until(({ message }) => message?.params?.uri === uri)
      await subscription(b, headers, 'unsubscribe', uri)
      await change(c, uri)
    }
    await settle([stream, stranger])
    const wanted = Array.from({ length: 20 }, (_, turn) => `test://note/${turn}`)
    expect(urisIn(stream)).toEqual(wanted)
    expect(urisIn(stranger)).toEqual([])
  })

  test('the newest stream replaces the previous one, on the same node and on another', async () => {
    const headers = await connect(a)
    const first = await get(a, headers)
    const second = await get(b, headers)
    expect(await first.ended).toBe(true)
    const third = await get(b, headers)
    expect(await second.ended).toBe(true)
    await settle([third])
    expect(countOf(first.messages) + countOf(second.messages)).toBe(0)
  })

  test('a client that resumes at another node receives missed events, once and in order', async () => {
    const headers = await connect(a)
    const uri = (count: number) => `test://note/${count}`
    for (let count = 0; count < 30; count += 1) {
      await subscription(a, headers, 'subscribe', uri(count))
    }
    const urls = [a, b, c]
    const streams = [await get(a, headers)]
    let lastId = streams[0]?.lastId
    for (let count = 0; count < 30; count += 1) {
      // Changes continue before, during and after the client's disconnection.
      const changing = change(urls[count % 3] ?? a, uri(count))
      if (count % 5 === 3) {
        const [current] = streams.slice(-1)
        current?.close()
        await current?.ended
        lastId = current?.lastId ?? lastId
        await changing
        streams.push(await get(urls[(count + 1) % 3] ?? a, headers, lastId))
      }
      await changing
    }
    await settle(streams.slice(-1))
    const received = streams.flatMap(urisIn)
    expect(received).toEqual(Array.from({ length: 30 }, (_, count) => uri(count)))
  })

  test('a stream ends on all nodes with its MCP session', async () => {
    const headers = await connect(a)
    const stream = await get(a, headers)
    expect((await fetch(`${b}/mcp`, { method: 'DELETE', headers })).status).toBe(204)
    expect(await stream.ended).toBe(true)
    for (const url of [a, b, c]) expect((await get(url, headers)).response.status).toBe(404)
  })

  test('hundreds of streams receive a change at once', async () => {
    const all = await Promise.all(
      Array.from({ length: 150 }, async (_, count) => {
        const url = cluster.urls[count % 3] ?? a
        return get(url, await connect(url))
      }),
    )
    await settle(all)
  })

  describe('subscriptions/listen', () => {
    async function listenModern(url: string, notifications: object): Promise<Listening> {
      const stream = closeLater(
        await listenTo((signal) =>
          postModern(url, 'subscriptions/listen', { notifications }, { signal }),
        ),
      )
      await stream.until(withMethod('notifications/subscriptions/acknowledged'))
      return stream
    }

    test('receives changes of all nodes, and only subscribed ones', async () => {
      const uri = 'test://note/modern'
      const wanted = { toolsListChanged: true, resourceSubscriptions: [uri] }
      const stream = await listenModern(a, wanted)
      const lists = await listenModern(b, { toolsListChanged: true })
      for (const url of [a, b, c]) await change(url, uri)
      await change(b, 'test://note/other')
      await settle([stream, lists])
      expect(urisIn(stream)).toEqual([uri, uri, uri])
      expect(urisIn(lists)).toEqual([])
    })
  })

  test('no fault was logged', () => {
    expect(faultsIn(cluster.logs())).toEqual([])
  })
})
