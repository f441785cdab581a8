/** The log lines of the fast path contain the callers' values as data only, and no secrets. */

import { once } from 'node:events'
import { connect as connectTo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { envelope, PROTOCOL_CATALOG, postModern, read } from '../support/wire.ts'

let fast: TestApp
let slow: TestApp
beforeAll(async () => {
  const options = { catalogDirectory: PROTOCOL_CATALOG }
  fast = await startApp(options)
  slow = await startApp({ ...options, env: { MCP_FAST_PATH: 'off' } })
  const params = { name: 'echo', arguments: { text: 'x' } }
  for (const { url } of [fast, slow]) await read(postModern(url, 'tools/call', params))
})
afterAll(() => Promise.all([fast.stop(), slow.stop()]))

const SESSION = `ses_${'a'.repeat(43)}`
const JWT = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.${'s'.repeat(20)}`

/** Makes a call with exactly these headers; returns its log lines. */
async function linesOf(app: TestApp, fields: readonly string[]) {
  const before = app.lines.length
  const body = JSON.stringify({
    ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
    params: { name: 'echo', arguments: { text: 'x' }, _meta: envelope() },
  })
  const { port } = new URL(app.url)
  const socket = connectTo(Number(port), 'localhost')
  const head = [
    'POST /mcp HTTP/1.1',
    'host: localhost',
    'connection: close',
    'content-type: application/json',
    'accept: application/json, text/event-stream',
    'mcp-protocol-version: 2026-07-28',
    'mcp-method: tools/call',
    'mcp-name: echo',
    `content-length: ${Buffer.byteLength(body)}`,
    ...fields,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  socket.resume()
  await once(socket, 'close')
  return app.lines.slice(before)
}

const parsed = (lines: readonly string[]) =>
  lines.map((line) => JSON.parse(line) as Record<string, unknown>)

/** The fields that do not differ by call. */
function facts({ time: _time, ms: _ms, requestId, pid: _pid, ...line }: Record<string, unknown>) {
  const isRandom = /^[\da-f-]{36}$/.test(String(requestId))
  return { ...line, msg: line.msg, requestId: isRandom ? 'random' : requestId }
}

test.each<[string, readonly string[]]>([
  ['nothing', []],
  ['an id', ['x-request-id: mine-1']],
  ['a quote in its id', ['x-request-id: a","level":"fatal']],
  ['the id of a session as its own', [`x-request-id: ${SESSION}`]],
  ['a JWT as its id', [`x-request-id: ${JWT.slice(0, 64)}`]],
  ['white space in its id', ['x-request-id: a\tb']],
  ['the id of a session for a connection', [`mcp-session-id: ${SESSION}`]],
  ['a JWT for a connection', [`mcp-session-id: ${JWT}`]],
  ['two ids', ['x-request-id: a', 'x-request-id: b']],
  ['text of other scripts', [Buffer.from('x-request-id: é"').toString('latin1')]],
])('%s is written as without the fast path', async (_what, fields) => {
  const ours = await linesOf(fast, fields)
  const theirs = await linesOf(slow, fields)
  for (const line of ours) {
    expect(line.endsWith('}\n')).toBe(true)
    expect(line.slice(0, -1)).not.toContain('\n')
    expect(line).not.toContain(SESSION)
    expect(line).not.toContain(JWT)
  }
  const outcomes = (lines: readonly string[]) =>
    parsed(lines)
      .filter(({ msg }) => msg === 'request' || msg === 'tool call')
      .map(facts)
  expect(outcomes(ours)).toEqual(outcomes(theirs))
  expect(outcomes(ours).map(({ msg }) => msg)).toEqual(['tool call', 'request'])
})
