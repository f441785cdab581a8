/**
 * A full Redis, which still deletes: MCP sessions end, and connected clients get their responses.
 */

import { createClient } from '@redis/client'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { probe } from '../fixtures/protocol/probe.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { type Listening, listen, listenTo, responseTo } from '../support/event-reader.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { initializeSse, openSse, sendSse } from '../support/sse.ts'
import { connect, PROTOCOL_CATALOG, post, read, request } from '../support/wire.ts'

describeRedis('plain', 'a Redis that is full', () => {
  let redis: RedisServer
  let app: TestApp
  let admin: ReturnType<typeof createClient>
  const open: Listening[] = []

  beforeAll(async () => {
    redis = await startRedis('plain', ['--maxmemory-policy', 'noeviction'])
    admin = createClient({ url: redis.url })
    await admin.connect()
    app = await startApp({
      catalogDirectory: PROTOCOL_CATALOG,
      // Rate limits would be the first writes of a request.
      env: { REDIS_URL: redis.url, RATE_LIMIT: 'on' },
    })
  })
  afterEach(async () => {
    await admin.configSet('maxmemory', '0')
    for (const stream of open.splice(0)) stream.close()
  })
  afterAll(async () => {
    await app?.stop()
    admin?.destroy()
    await redis?.stop()
  })

  const fill = () => admin.configSet('maxmemory', '1')
  const hold = (key: string) => request('tools/call', { name: 'hold', arguments: { key } }, key)

  test('DELETE ends the MCP session, its session, its stream and its calls', async () => {
    const headers = await connect(app.url)
    const stream = await listen(`${app.url}/mcp`, headers)
    const call = await listenTo((signal) => post(app.url, hold('deleted'), headers, signal))
    open.push(stream, call)
    await probe('deleted').started
    const id = headers['mcp-session-id']
    expect(await admin.exists(`mcp:{${id}}:conn`)).toBe(1)
    const sessions = (await admin.keys('*:session')).length
    await fill()
    expect((await read(post(app.url, request('ping'), headers))).status).toBe(503)
    const { status } = await fetch(`${app.url}/mcp`, { method: 'DELETE', headers })
    expect(status).toBe(204)
    expect(await admin.exists(`mcp:{${id}}:conn`)).toBe(0)
    expect(await admin.keys('*:session')).toHaveLength(sessions - 1)
    // The end cannot be stored; this node has it in memory.
    await Promise.all([stream.ended, call.ended])
    await expect.poll(() => app.lines.join('')).toContain('broadcast failed')
    await admin.configSet('maxmemory', '0')
    const again = await fetch(`${app.url}/mcp`, { method: 'DELETE', headers })
    expect(again.status).toBe(404)
  })

  test('a call whose end cannot be written is answered on its stream', async () => {
    const headers = await connect(app.url)
    const call = await listenTo((signal) => post(app.url, hold('streamed'), headers, signal))
    open.push(call)
    await call.until(({ id }) => id !== undefined)
    await fill()
    probe('streamed').release()
    const { message } = await call.until(responseTo('streamed'))
    expect(message?.result).toMatchObject({ structuredContent: { aborted: false } })
    expect(await call.ended).toBe(true)
  })

  test('the same over the older transport, once', async () => {
    const stream = await openSse(app.url)
    open.push(stream)
    const { path, id } = await initializeSse(stream, [app.url])
    await sendSse(app.url, path, hold('sse'))
    await probe('sse').started
    await fill()
    probe('sse').release()
    const { message } = await stream.until(responseTo('sse'))
    expect(message?.result).toMatchObject({ structuredContent: { aborted: false } })
    await expect.poll(() => admin.keys(`*${id}*running*`)).toEqual([])
    await admin.configSet('maxmemory', '0')
    const after = request('tools/call', { name: 'echo', arguments: { text: 'after' } }, 'after')
    expect((await sendSse(app.url, path, after)).status).toBe(202)
    await stream.until(responseTo('after'))
    expect(stream.messages.filter((each) => each.id === 'sse')).toHaveLength(1)
  })
})
