/** Slow calls: streaming, cancellation and disconnects. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { probe } from '../fixtures/protocol/probe.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { connectClient, ERAS } from '../support/clients.ts'
import {
  connect,
  envelope,
  PROTOCOL_CATALOG,
  post,
  postModern,
  read,
  request,
} from '../support/wire.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG })
})
afterAll(() => app.stop())

const hold = (key: string, id: string | number = 1) =>
  request('tools/call', { name: 'hold', arguments: { key } }, id)

const cancelled = (requestId: unknown) => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId, reason: 'no longer needed' },
})

describe('in the 2025 era', () => {
  test('a slow call becomes a stream, and the stream ends with the answer', async () => {
    const headers = await connect(app.url)
    const response = await post(app.url, hold('legacy-stream'), headers)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(response.headers.get('x-accel-buffering')).toBe('no')
    probe('legacy-stream').release()
    const { messages } = await read(response)
    expect(messages).toHaveLength(1)
    expect(messages[0]?.result).toMatchObject({ structuredContent: { aborted: false } })
  })

  test('a fast call is answered as JSON', async () => {
    const response = await post(app.url, request('ping'), await connect(app.url))
    expect(response.headers.get('content-type')).toBe('application/json')
    await response.text()
  })

  test('a cancellation aborts the tool and ends the stream without an answer', async () => {
    const headers = await connect(app.url)
    const answer = read(post(app.url, hold('legacy-cancel', 'call-1'), headers))
    await probe('legacy-cancel').started
    expect((await post(app.url, cancelled('call-1'), headers)).status).toBe(202)
    expect(await probe('legacy-cancel').ended).toBe(true)
    expect(await answer).toMatchObject({ status: 200, messages: [] })
  })

  test('a cancellation after the start of the stream works, too', async () => {
    const headers = await connect(app.url)
    const response = await post(app.url, hold('legacy-late'), headers)
    await post(app.url, cancelled(1), headers)
    expect(await probe('legacy-late').ended).toBe(true)
    expect((await read(response)).messages).toEqual([])
  })

  test('another caller cannot cancel, nor a number instead of a string', async () => {
    const mine = await connect(app.url)
    const answer = read(post(app.url, hold('legacy-other', 7), mine))
    await probe('legacy-other').started
    await post(app.url, cancelled(7), await connect(app.url))
    await post(app.url, cancelled('7'), mine)
    await post(app.url, request('ping', {}, 8), mine)
    probe('legacy-other').release()
    expect((await answer).message.result).toMatchObject({ structuredContent: { aborted: false } })
  })

  test('of two calls with one id the newer can still be cancelled after the older has ended', async () => {
    const headers = await connect(app.url)
    const older = read(post(app.url, hold('twice-older'), headers))
    await probe('twice-older').started
    const newer = read(post(app.url, hold('twice-newer'), headers))
    await probe('twice-newer').started
    probe('twice-older').release()
    await older
    await post(app.url, cancelled(1), headers)
    expect(await probe('twice-newer').ended).toBe(true)
    expect((await newer).messages).toEqual([])
  })

  test('disconnecting does not cancel', async () => {
    const headers = await connect(app.url)
    const leave = new AbortController()
    const leaving = post(app.url, hold('legacy-leave'), headers, leave.signal)
    await probe('legacy-leave').started
    leave.abort()
    await expect(leaving).rejects.toThrow()
    await read(post(app.url, request('ping', {}, 2), headers))
    probe('legacy-leave').release()
    expect(await probe('legacy-leave').ended).toBe(false)
  })

  test('disconnecting the stream does not cancel either', async () => {
    const headers = await connect(app.url)
    const response = await post(app.url, hold('legacy-leave-stream'), headers)
    await response.body?.cancel()
    await read(post(app.url, request('ping', {}, 2), headers))
    probe('legacy-leave-stream').release()
    expect(await probe('legacy-leave-stream').ended).toBe(false)
  })
})

describe('in the 2026 era', () => {
  const params = (key: string) => ({ name: 'hold', arguments: { key } })

  test('closing the connection aborts the tool', async () => {
    const leave = new AbortController()
    const call = postModern(app.url, 'tools/call', params('modern-leave'), { signal: leave.signal })
    await probe('modern-leave').started
    leave.abort()
    await expect(call).rejects.toThrow()
    expect(await probe('modern-leave').ended).toBe(true)
  })

  test('closing a stream that has begun aborts the tool', async () => {
    const leave = new AbortController()
    const _meta = { ...envelope(), progressToken: 'p' }
    const call = request('tools/call', { ...params('modern-stream'), _meta })
    const headers = {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'hold',
    }
    const response = await post(app.url, call, headers, leave.signal)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    await probe('modern-stream').started
    leave.abort()
    expect(await probe('modern-stream').ended).toBe(true)
  })

  test('a cancellation by message is not part of this era: the call continues', async () => {
    const answer = read(postModern(app.url, 'tools/call', params('modern-message')))
    await probe('modern-message').started
    const headers = {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'notifications/cancelled',
    }
    expect((await post(app.url, cancelled(1), headers)).status).toBe(202)
    probe('modern-message').release()
    expect((await answer).message.result).toMatchObject({ structuredContent: { aborted: false } })
  })
})

test.each(ERAS)('the official client cancels in %s', async (era) => {
  const { client } = await connectClient(app.url, era)
  const key = `client-cancel-${era}`
  const cancel = new AbortController()
  const call = client.callTool({ name: 'hold', arguments: { key } }, { signal: cancel.signal })
  const outcome = expect(call).rejects.toThrow()
  await probe(key).started
  cancel.abort()
  await outcome
  expect(await probe(key).ended).toBe(true)
  await client.close()
})

test('a stopping server lets calls finish', async () => {
  const own = await startApp({ catalogDirectory: PROTOCOL_CATALOG })
  const headers = await connect(own.url)
  const legacy = read(post(own.url, hold('stop-legacy'), headers))
  const modern = read(
    postModern(own.url, 'tools/call', { name: 'hold', arguments: { key: 'stop-modern' } }),
  )
  await Promise.all([probe('stop-legacy').started, probe('stop-modern').started])
  const stopped = own.stop()
  probe('stop-legacy').release()
  probe('stop-modern').release()
  for (const answer of [await legacy, await modern]) {
    expect(answer.message.result).toMatchObject({ structuredContent: { aborted: false } })
  }
  await stopped
})
