/** `Expect: 100-continue` over raw sockets: no body is requested unless it is read. */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { authorizeDirectCaller } from '../support/direct.ts'
import { PROTOCOL_CATALOG } from '../support/wire.ts'

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

let app: TestApp
const sockets: Socket[] = []
beforeEach(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG, env: { MCP_AUTH: 'required' } })
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await app.stop()
})

interface Head {
  readonly path?: string
  readonly bytes?: number
  readonly host?: string
  readonly type?: string
  readonly fields?: readonly string[]
}

async function open() {
  const { port, host: own } = new URL(app.localUrl)
  const socket = connect(Number(port), '127.0.0.1')
  sockets.push(socket)
  const got = { text: '', isEnded: false }
  socket.setEncoding('latin1').on('data', (more: string) => {
    got.text += more
  })
  socket.on('end', () => {
    got.isEnded = true
  })
  socket.on('error', () => undefined)
  await once(socket, 'connect')

  function head({
    path = '/mcp',
    bytes = 100,
    host = own,
    type = 'application/json',
    fields = [],
  }: Head) {
    const lines = [
      ...[`POST ${path} HTTP/1.1`, `Host: ${host}`, `Content-Type: ${type}`],
      ...['Accept: application/json, text/event-stream', `Content-Length: ${bytes}`],
      ...['Expect: 100-continue', ...fields],
    ]
    socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  }
  return { got, head, write: (text: string) => socket.write(text) }
}

const BAD = ['Authorization: Bearer nonsense']
const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])

describe.each([100, 500_000])('a body of %i bytes', (bytes) => {
  test.each<[string, number, Head]>([
    ['no token at /mcp', 401, {}],
    ['a bad token at /mcp', 401, { fields: BAD }],
    ['no token at /http', 401, { path: '/http' }],
    ['a bad token at /messages', 401, { path: '/messages', fields: BAD }],
    ['another host', 421, { host: 'evil.example' }],
    ['another content type', 415, { type: 'text/plain' }],
    ['no such address', 404, { path: '/nowhere' }],
    ['no such method', 405, { path: '/livez' }],
  ])('is not requested: %s is %i', async (_what, status, head) => {
    const client = await open()
    client.head({ bytes, ...head })
    await expect.poll(() => client.got.isEnded).toBe(true)
    expect(statusOf(client.got.text)).toBe(status)
    expect(client.got.text).not.toContain('100 Continue')
    expect(client.got.text).toMatch(/^connection: close$/im)
  })

  test('is requested once, with a valid token, and served', async () => {
    const { token } = await authorizeDirectCaller(app.url)
    const client = await open()
    const fields = [`Authorization: Bearer ${token}`]
    const params = { name: 'echo', arguments: { text: 'hi' } }
    const text = JSON.stringify({ method: 'tools/call', params }).padEnd(bytes, ' ')
    client.head({ path: '/http', bytes: text.length, fields })
    await expect.poll(() => client.got.text).toBe(CONTINUE)
    client.write(text)
    await expect.poll(() => client.got.text).toContain('"hi"')
    expect(client.got.text.split('100 Continue')).toHaveLength(2)
    expect(statusOf(client.got.text.slice(CONTINUE.length))).toBe(200)
    // The connection serves the next request.
    const call = JSON.stringify({ method: 'ping' })
    client.head({ path: '/http', bytes: call.length, fields })
    await expect.poll(() => client.got.text.split('100 Continue')).toHaveLength(3)
    client.write(call)
    await expect.poll(() => client.got.text.split('HTTP/1.1 200')).toHaveLength(3)
  })
})

test('a body above the limit is not requested', async () => {
  const { token } = await authorizeDirectCaller(app.url)
  const client = await open()
  client.head({ bytes: 2 * 1024 * 1024, fields: [`Authorization: Bearer ${token}`] })
  await expect.poll(() => client.got.isEnded).toBe(true)
  expect(statusOf(client.got.text)).toBe(413)
})

test('the endpoints of the authorization server request their bodies', async () => {
  const client = await open()
  const form = 'grant_type=refresh_token&refresh_token=x&client_id=x'
  const type = 'application/x-www-form-urlencoded'
  client.head({ path: '/token', bytes: form.length, type })
  await expect.poll(() => client.got.text).toBe(CONTINUE)
  client.write(form)
  await expect.poll(() => client.got.text).toContain('"error"')
})

test('a body that is sent without waiting is served', async () => {
  const { token } = await authorizeDirectCaller(app.url)
  const client = await open()
  const call = JSON.stringify({ method: 'ping' })
  client.head({ path: '/http', bytes: call.length, fields: [`Authorization: Bearer ${token}`] })
  client.write(call)
  await expect.poll(() => client.got.text).toMatch(/HTTP\/1\.1 200/)
})
