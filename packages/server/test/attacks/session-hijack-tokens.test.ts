/**
 * Session hijack with tokens, on every node (CVE-2025-6515, CVE-2026-33946): same response as for
 * an unknown MCP session, and no effect on the owner.
 */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { createId } from '../../src/crypto/random-id.ts'
import { listen, listenTo, responseTo, withMethod } from '../support/event-reader.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { startTokenNodes, type TokenNodes } from '../support/token-nodes.ts'
import {
  envelope,
  type HeaderFields,
  INITIALIZE,
  post,
  postModern,
  read,
  request,
} from '../support/wire.ts'

const JSON_HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
}

describeRedis('plain', 'with three nodes', () => {
  let cluster: TokenNodes
  let urls: readonly string[] = []
  let [a, b, c] = ['', '', '']
  let alice: HeaderFields
  let bob: HeaderFields
  beforeAll(async () => {
    cluster = await startTokenNodes()
    urls = cluster.urls
    ;[a, b, c] = cluster.urls
    alice = await cluster.bearer({ subject: 'alice' })
    bob = await cluster.bearer({ subject: 'bob' })
  })
  afterAll(() => cluster?.stop())

  async function connectAs(bearer: HeaderFields, capabilities: object = {}) {
    const params = { ...INITIALIZE.params, capabilities }
    const { headers } = await read(post(a, { ...INITIALIZE, params }, bearer))
    return headers.get('mcp-session-id') ?? ''
  }

  const postTo = (url: string, message: unknown, headers: HeaderFields) =>
    fetch(url, {
      method: 'POST',
      headers: { ...JSON_HEADERS, ...headers },
      body: JSON.stringify(message),
    })

  /** Every request that names an MCP session. */
  function attempts(
    node: string,
    id: string,
    thief: HeaderFields,
    eventId: string,
    wireId: string,
  ) {
    const headers = { ...thief, 'mcp-session-id': id }
    const stream = { ...headers, accept: 'text/event-stream' }
    const ends = thief.authorization === undefined ? ['/mcp'] : ['/mcp', '/http']
    const answer = {
      jsonrpc: '2.0',
      id: wireId,
      result: { action: 'accept', content: { name: 'x' } },
    }
    const cancel = {
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 'asks' },
    }
    const call = request('tools/call', { name: 'where', arguments: {} })
    return ends.flatMap((path) => [
      postTo(node + path, request('ping'), headers),
      postTo(node + path, call, headers),
      postTo(node + path, answer, headers),
      postTo(node + path, cancel, headers),
      fetch(node + path, { headers: stream }),
      fetch(node + path, { headers: { ...stream, 'last-event-id': eventId } }),
      fetch(node + path, { method: 'DELETE', headers }),
    ])
  }

  const seen = async (answers: readonly Promise<Response>[]) =>
    (await Promise.all(answers.map(read))).map(({ status, text }) => ({ status, text }))

  test('an MCP session of a token is unknown to every other caller, on every node', async () => {
    const id = await connectAs(alice, { elicitation: {} })
    const own = { ...alice, 'mcp-session-id': id }
    const stream = await listen(`${c}/mcp`, own)
    const question = request('tools/call', { name: 'ask', arguments: { kinds: ['form'] } }, 'asks')
    const questioned = await listenTo((signal) => post(b, question, own, signal))
    const { message } = await questioned.until(withMethod('elicitation/create'))
    const wireId = String(message?.id)
    for (const thief of [bob, {}]) {
      for (const node of urls) {
        const stolen = await seen(attempts(node, id, thief, questioned.lastId ?? '', wireId))
        const unknown = createId('con')
        const missed = await seen(attempts(node, unknown, thief, questioned.lastId ?? '', wireId))
        expect(stolen).toEqual(missed)
        expect(new Set(stolen.map(({ status }) => status))).toEqual(new Set([404]))
      }
    }
    // Alice did not notice: her call still waits, and her stream is open.
    const result = { action: 'accept', content: { name: 'Alice' } }
    expect((await post(a, { jsonrpc: '2.0', id: wireId, result }, own)).status).toBe(202)
    const { message: answer } = await questioned.until(responseTo('asks'))
    expect(JSON.stringify(answer?.result)).toContain('Alice')
    const change = request('tools/call', { name: 'change', arguments: {} })
    expect((await read(post(b, change, own))).status).toBe(200)
    await stream.until(withMethod('notifications/tools/list_changed'))
    stream.close()
  })

  test('another token of the same session is the same caller', async () => {
    const id = await connectAs(alice)
    const newer = await cluster.bearer({ subject: 'alice' })
    const pings = urls.map((url) =>
      read(post(url, request('ping'), { ...newer, 'mcp-session-id': id })),
    )
    for (const { status } of await Promise.all(pings)) expect(status).toBe(200)
    const otherClient = await cluster.bearer({ subject: 'alice', client: 'client-b' })
    const { status } = await read(
      post(b, request('ping'), { ...otherClient, 'mcp-session-id': id }),
    )
    expect(status).toBe(404)
  })

  test('an MCP session without a token is unknown to callers with one', async () => {
    const id = await connectAs({})
    for (const node of urls) {
      const stolen = await seen(attempts(node, id, bob, 's.0.0', 'x'))
      expect(new Set(stolen.map(({ status }) => status))).toEqual(new Set([404]))
    }
    expect((await read(post(c, request('ping'), { 'mcp-session-id': id }))).status).toBe(200)
  })

  test('the same holds for the older transport', async () => {
    const stream = await listen(`${a}/sse`, alice)
    const { data: path, id: eventId = '' } = await stream.until(({ event }) => event === 'endpoint')
    const id = path.split('=')[1] ?? ''
    const steal = (node: string, thief: HeaderFields, known: string, event: string) =>
      seen([
        fetch(`${node}/sse?session_id=${known}`, { headers: thief }),
        fetch(`${node}/sse`, { headers: { ...thief, 'last-event-id': event } }),
        postTo(`${node}/messages?session_id=${known}`, request('ping'), thief),
        postTo(`${node}/messages?session_id=${known}`, INITIALIZE, thief),
      ])
    for (const thief of [bob, {}]) {
      for (const node of urls) {
        const unknown = createId('ses')
        const stolen = await steal(node, thief, id, eventId)
        expect(stolen).toEqual(await steal(node, thief, unknown, eventId.replace(id, unknown)))
        expect(new Set(stolen.map(({ status }) => status))).toEqual(new Set([404]))
      }
    }
    expect((await postTo(b + path, INITIALIZE, alice)).status).toBe(202)
    await stream.until(responseTo(1))
    // Two streams of one token do not interfere.
    const second = await listen(`${b}/sse`, alice)
    const { data: other } = await second.until(({ event }) => event === 'endpoint')
    expect(other).not.toBe(path)
    for (const each of [stream, second]) each.close()
  })

  test('an ended session is ended on all nodes, with its streams and tokens', async () => {
    const leaver = await cluster.bearer({ subject: 'leaver' })
    const own = { ...leaver, 'mcp-session-id': await connectAs(leaver) }
    const filter = { notifications: { toolsListChanged: true }, _meta: envelope() }
    const streams = [
      await listen(`${b}/mcp`, own),
      await listen(`${c}/sse`, leaver),
      await listenTo((signal) =>
        postModern(b, 'subscriptions/listen', filter, { headers: leaver, signal }),
      ),
    ]
    const stays = await listen(`${b}/sse`, bob)
    const logout = { name: 'logout', arguments: {} }
    const { message } = await read(postModern(a, 'tools/call', logout, { headers: leaver }))
    expect(message.result).toMatchObject({ structuredContent: { ended: true } })
    const refused = urls.map((url) => read(postModern(url, 'tools/list', {}, { headers: leaver })))
    for (const { status } of await Promise.all(refused)) expect(status).toBe(401)
    await Promise.all(streams.map(({ ended }) => ended))
    await stays.until(({ event }) => event === 'endpoint')
    expect((await read(postModern(c, 'tools/list', {}, { headers: bob }))).status).toBe(200)
    stays.close()
  })

  test('one token used on all nodes concurrently opens one session', async () => {
    const first = await cluster.bearer({ subject: 'everywhere' })
    const remember = { name: 'session', arguments: {} }
    const calls = Array.from({ length: 30 }, (_, turn) =>
      read(postModern(urls[turn % 3] ?? a, 'tools/call', remember, { headers: first })),
    )
    for (const { status } of await Promise.all(calls)) expect(status).toBe(200)
  })

  test('concurrent logouts leave no valid session', async () => {
    const headers = await cluster.bearer({ subject: 'at once' })
    const logout = { name: 'logout', arguments: {} }
    const calls = Array.from({ length: 30 }, (_, turn) =>
      read(postModern(urls[turn % 3] ?? a, 'tools/call', logout, { headers })),
    )
    await Promise.all(calls)
    const later = await Promise.all(
      urls.map((url) => read(postModern(url, 'tools/list', {}, { headers }))),
    )
    expect(later.map(({ status }) => status)).toEqual([401, 401, 401])
  })

  test('no fault was logged', () => {
    const lines = cluster.nodes.flatMap((node) => node.lines)
    expect(lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([])
    expect(lines.join('')).not.toContain(String(alice.authorization).split(' ')[1])
  })
})
