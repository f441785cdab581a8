/** Streams of tokens of an external issuer: open while newer tokens are used, on any node. */

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type Listening, listen, listenTo, responseTo } from '../support/event-reader.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { openSse, sendSse } from '../support/sse.ts'
import { startTokenApp } from '../support/token-app.ts'
import { startTokenNodes, type TokenNodes } from '../support/token-nodes.ts'
import { INITIALIZE, post, postModern, read, request } from '../support/wire.ts'

/** Long enough to open all streams on a busy machine. */
const TOKEN_SECONDS = 8
const LISTEN = { notifications: { toolsListChanged: true } }

describeRedis('plain', 'on three nodes', () => {
  let cluster: TokenNodes
  beforeAll(async () => {
    cluster = await startTokenNodes()
  })
  afterAll(() => cluster?.stop())

  type Headers = Awaited<ReturnType<TokenNodes['bearer']>>

  /** One of each kind, held by different nodes. */
  async function openAll(headers: Headers) {
    const [a, b, c] = cluster.urls
    const opened = await post(a, INITIALIZE, headers)
    const legacy = await listen(`${b}/mcp`, {
      ...headers,
      'mcp-session-id': opened.headers.get('mcp-session-id') ?? '',
    })
    const modern = await listenTo((signal) =>
      postModern(c, 'subscriptions/listen', LISTEN, { headers, signal }),
    )
    const sse = await openSse(a, undefined, headers)
    return { legacy, modern, sse }
  }

  const isOpen = ({ ended }: Listening) => Promise.race([ended.then(() => false), delay(10, true)])

  const statusAt = async (url: string, headers: Headers) =>
    (await read(postModern(url, 'tools/list', {}, { headers }))).status

  test('outlive their token once a newer one was used, and end with the session', async () => {
    const subject = 'outlives'
    const old = await cluster.bearer({ subject, ttlSeconds: TOKEN_SECONDS })
    const streams = await openAll(old)
    const [a, b, c] = cluster.urls
    const newer = await cluster.bearer({ subject })
    expect(await statusAt(b, newer)).toBe(200)
    await delay(TOKEN_SECONDS * 1000 + 1500)
    expect(await statusAt(a, old)).toBe(401)
    for (const each of Object.values(streams)) expect(await isOpen(each)).toBe(true)
    const logout = { name: 'logout', arguments: {} }
    await read(postModern(c, 'tools/call', logout, { headers: newer }))
    const { legacy, modern, sse } = streams
    expect(await Promise.all([legacy.ended, modern.ended, sse.ended])).toEqual([true, true, true])
    expect(modern.messages.at(-1)).toMatchObject({ id: 1, result: { resultType: 'complete' } })
  })

  test('end with their token otherwise, without a result that clients take as final', async () => {
    const headers = await cluster.bearer({ subject: 'ends', ttlSeconds: TOKEN_SECONDS })
    // A newer token of another client or person belongs to another session.
    expect(
      await statusAt(
        cluster.urls[0],
        await cluster.bearer({ subject: 'ends', client: 'client-b' }),
      ),
    ).toBe(200)
    expect(await statusAt(cluster.urls[0], await cluster.bearer({ subject: 'other' }))).toBe(200)
    const { legacy, modern, sse } = await openAll(headers)
    expect(await Promise.all([legacy.ended, modern.ended, sse.ended])).toEqual([true, true, true])
    expect(modern.messages.filter(({ result }) => result !== undefined)).toEqual([])
    expect(await statusAt(cluster.urls[0], headers)).toBe(401)
  })

  test('over /sse end after running calls have been answered', async () => {
    const headers = await cluster.bearer({ subject: 'calls', ttlSeconds: TOKEN_SECONDS })
    const [a, b, c] = cluster.urls
    const stream = await openSse(a, undefined, headers)
    const { data: path } = await stream.until(({ event }) => event === 'endpoint')
    const params = { ...INITIALIZE.params, protocolVersion: '2024-11-05' }
    expect((await sendSse(c, path, { ...INITIALIZE, params }, headers)).status).toBe(202)
    await stream.until(responseTo(1))
    const slow = { name: 'steps', arguments: { steps: TOKEN_SECONDS + 3, everyMs: 1000 } }
    const call = request('tools/call', slow, 'slow')
    expect((await sendSse(b, path, call, headers)).status).toBe(202)
    await stream.until(responseTo('slow'))
    expect(await stream.ended).toBe(true)
    expect(await statusAt(a, headers)).toBe(401)
  })
})

test('streams end at STREAM_MAX_SECONDS, though their token is valid', async () => {
  const app = await startTokenApp({ env: { STREAM_MAX_SECONDS: '1' } })
  onTestFinished(() => app.stop())
  const headers = await app.bearer()
  const sse = await openSse(app.url, undefined, headers)
  const modern = await listenTo((signal) =>
    postModern(app.url, 'subscriptions/listen', LISTEN, { headers, signal }),
  )
  expect(await Promise.all([sse.ended, modern.ended])).toEqual([true, true])
  expect((await read(postModern(app.url, 'tools/list', {}, { headers }))).status).toBe(200)
})
