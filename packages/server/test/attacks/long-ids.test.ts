/** Ids and progress tokens are repeated in all that is said of a request: they are short. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { greet, openSse, sendSse } from '../support/sse.ts'
import { connect, PROTOCOL_CATALOG, post, read, request } from '../support/wire.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG })
})
afterAll(() => app.stop())

test.each(['id', 'progress token'])('a %s of 256 bytes is fine, one more is 400', async (what) => {
  const call = (bytes: number) => {
    const name = 'é'.repeat(100).padEnd(bytes - 100, 'x')
    expect(Buffer.byteLength(name)).toBe(bytes)
    const _meta = what === 'id' ? {} : { progressToken: name }
    const params = { name: 'echo', arguments: { text: 'x' }, _meta }
    return request('tools/call', params, what === 'id' ? name : 1)
  }
  const headers = await connect(app.url)
  expect((await read(post(app.url, call(256), headers))).status).toBe(200)
  const { status, message } = await read(post(app.url, call(257), headers))
  expect([status, message.error?.code]).toEqual([400, -32600])
  const stream = await openSse(app.url)
  const { path } = await greet(stream, [app.url])
  expect((await sendSse(app.url, path, call(256))).status).toBe(202)
  expect((await sendSse(app.url, path, call(257))).status).toBe(400)
  stream.close()
})
