/** Request ids and progress tokens are bounded, because many messages repeat them. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { authorizeDirectCaller, type DirectCaller } from '../support/direct.ts'
import { initializeSse, openSse, sendSse } from '../support/sse.ts'
import {
  connect,
  envelope,
  PROTOCOL_CATALOG,
  post,
  postModern,
  read,
  request,
} from '../support/wire.ts'

const MOST_BYTES = 256
const CALL = { name: 'echo', arguments: { text: 'x' } }

let app: TestApp
let direct: DirectCaller
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG })
  direct = await authorizeDirectCaller(app.url)
})
afterAll(() => app.stop())

/** A text of this many bytes, in as few characters as possible. */
const textOf = (bytes: number, character: string) => {
  const text = character.repeat(Math.floor(bytes / Buffer.byteLength(character)))
  return text + 'x'.repeat(bytes - Buffer.byteLength(text))
}

describe.each(['x', 'é', '漢', '😀'])('in characters such as %s', (character) => {
  describe.each(['id', 'progress token'])(
    'a %s of 256 bytes is accepted, one more is 400',
    (what) => {
      const name = (bytes: number) => textOf(bytes, character)
      const parts = (bytes: number) =>
        what === 'id'
          ? { id: name(bytes), meta: {} }
          : { id: 1, meta: { progressToken: name(bytes) } }
      const legacy = (bytes: number, method = 'tools/call') => {
        const { id, meta } = parts(bytes)
        return request(method, { ...CALL, _meta: meta }, id)
      }

      test.each(['tools/call', 'ping', 'tools/list', 'a/b'])('2025: %s', async (method) => {
        const headers = await connect(app.url)
        const send = (bytes: number) => read(post(app.url, legacy(bytes, method), headers))
        expect((await send(MOST_BYTES)).status).toBe(200)
        const { status, message, text } = await send(MOST_BYTES + 1)
        expect([status, message.error?.code]).toEqual([400, -32600])
        expect(message.error?.message).toBe(`The ${what} exceeds the limit of 256 bytes.`)
        expect(text).not.toContain(name(MOST_BYTES + 1))
      })

      test('HTTP+SSE', async () => {
        const stream = await openSse(app.url)
        const { path } = await initializeSse(stream, [app.url])
        expect((await sendSse(app.url, path, legacy(MOST_BYTES))).status).toBe(202)
        expect((await sendSse(app.url, path, legacy(MOST_BYTES + 1))).status).toBe(400)
        stream.close()
      })

      test.each(['tools/call', 'server/discover', 'resources/read'])('2026: %s', async (method) => {
        const send = (bytes: number) => {
          const params = method === 'tools/call' ? CALL : { uri: 'test://note' }
          return read(postModern(app.url, method, params, parts(bytes)))
        }
        expect((await send(MOST_BYTES)).status).toBe(200)
        const { status, message } = await send(MOST_BYTES + 1)
        expect([status, message.error?.code]).toEqual([400, -32600])
      })
    },
  )

  test('direct calls: a progress token', async () => {
    const send = (bytes: number) =>
      direct.call('tools/call', {
        ...CALL,
        _meta: { ...envelope(), progressToken: textOf(bytes, character) },
      })
    expect((await send(MOST_BYTES)).status).toBe(200)
    const { status, body } = await send(MOST_BYTES + 1)
    expect([status, body.code]).toEqual([400, 'invalid_request'])
  })
})
