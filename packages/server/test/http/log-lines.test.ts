/** Log lines of a call say which request and which session they belong to. */

import { get } from 'node:http'
import { hostname } from 'node:os'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { shortHash } from '../../src/crypto/hash.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { authorizeDirectCaller } from '../support/direct.ts'
import { callWith, login } from '../support/sign-in.ts'
import { connect, PROTOCOL_CATALOG, post, postModern, read, request } from '../support/wire.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app.stop())

interface Line {
  readonly msg: string
  readonly requestId?: string
  readonly tool?: string
  readonly session?: string
  readonly connection?: string
}

const linesOf = (tool: string) =>
  app.lines.map((line) => JSON.parse(line) as Line).filter((line) => line.tool === tool)

test('a call with a session handle is logged with a hash of the session', async () => {
  const { session } = await login(app.url)
  await callWith(app.url, session, 'session')
  expect(linesOf('session').at(-1)).toMatchObject({
    msg: 'tool call',
    requestId: expect.any(String),
    session: shortHash(session),
  })
})

test('a call in an MCP session is logged with hashes of both', async () => {
  const headers = await connect(app.url)
  await read(post(app.url, request('tools/call', { name: 'logout' }), headers))
  const line = linesOf('logout').at(-1)
  expect(line?.connection).toBe(shortHash(headers['mcp-session-id']))
  expect(line?.session).toMatch(/^[\w-]{8}$/)
  expect(line?.session).not.toBe(line?.connection)
})

test('a refused host is logged, so that operators see the one that their proxy sends', async () => {
  const status = await new Promise((resolve, reject) => {
    const headers = { host: 'inner.example:8080' }
    get(`${app.localUrl}/mcp`, { headers }, (answer) => resolve(answer.resume().statusCode)).on(
      'error',
      reject,
    )
  })
  expect(status).toBe(421)
  const line = app.lines.find((each) => each.includes('host or origin refused'))
  expect(JSON.parse(line ?? '{}')).toMatchObject({
    level: 'info',
    host: hostname(),
    requestHost: 'inner.example:8080',
  })
  expect(line?.split('"host":')).toHaveLength(2)
})

describe.each(['on', 'off'])('with the fast path %s', (fastPath) => {
  const echo = { name: 'echo', arguments: { text: 'x', delayMs: 400 } }

  test.each(['2026-07-28', 'direct'])(
    'a %s call whose client disconnects is logged with 499, as it is counted',
    async (form) => {
      const env = { MCP_FAST_PATH: fastPath }
      const other = await startApp({ catalogDirectory: PROTOCOL_CATALOG, env })
      onTestFinished(() => other.stop())
      const caller = await authorizeDirectCaller(other.url)
      const send = (signal: AbortSignal): Promise<unknown> =>
        form === 'direct'
          ? caller.call('tools/call', echo, { signal })
          : read(postModern(other.url, 'tools/call', echo, { signal }))
      const linesOf = (msg: string) =>
        other.lines.map((line) => JSON.parse(line)).filter((line) => line.msg === msg)
      // The first call of a kind of client is always served by the SDK.
      await send(AbortSignal.timeout(5000))
      const before = linesOf('request').length
      const client = new AbortController()
      setTimeout(() => client.abort(), 150)
      await expect(send(client.signal)).rejects.toThrow()
      await expect.poll(() => linesOf('request').length).toBe(before + 1)
      expect(linesOf('tool call').at(-1)).toMatchObject({ outcome: 'cancelled' })
      expect(linesOf('request').at(-1)).toMatchObject({ status: 499 })
    },
  )
})
