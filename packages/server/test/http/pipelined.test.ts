/** Requests that a client sends on one connection without waiting for answers (RFC 9112, 9.3.2). */

import { once } from 'node:events'
import { connect as openSocket, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { envelope, PROTOCOL_CATALOG, postModern, read } from '../support/wire.ts'

const SLOW_MS = 300

const echo = (text: string, delayMs: number) => ({
  name: 'echo',
  arguments: { text, delayMs },
  _meta: envelope(),
})

function call(text: string, delayMs: number): string {
  const params = echo(text, delayMs)
  const body = JSON.stringify({ jsonrpc: '2.0', id: text, method: 'tools/call', params })
  const head = [
    ...['POST /mcp HTTP/1.1', 'Host: localhost', 'Content-Type: application/json'],
    ...['Accept: application/json, text/event-stream', 'Mcp-Protocol-Version: 2026-07-28'],
    ...['Mcp-Method: tools/call', 'Mcp-Name: echo', `Content-Length: ${Buffer.byteLength(body)}`],
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

/** A server, and two calls on one connection: a slow one, and one that waits for it. */
async function startWithTwo(env: Readonly<Record<string, string>> = {}) {
  const app = await startApp({ catalogDirectory: PROTOCOL_CATALOG, env })
  const socket = openSocket(Number(new URL(app.localUrl).port), 'localhost')
  onTestFinished(() => void socket.destroy())
  let received = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    received += text
  })
  socket.on('error', () => undefined)
  socket.write(call('first', SLOW_MS) + call('second', 0))
  await untilBothRun(app)
  return { app, socket, received: () => received }
}

async function untilBothRun(app: TestApp): Promise<void> {
  await expect.poll(() => app.lines.join('').includes('"msg":"tool call"')).toBe(true)
  await delay(50)
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await once(socket, 'close')
}

test('are answered in order', async () => {
  const { app, received } = await startWithTwo()
  await expect.poll(received).toMatch(/"text":"first".*"text":"second"/s)
  await app.stop()
})

test('do not keep the server from stopping', async () => {
  const { app, socket, received } = await startWithTwo()
  await app.stop()
  await closed(socket)
  expect(received()).toContain('"text":"first"')
})

test('are all answered while the server stops, also one that comes meanwhile', async () => {
  const { app, socket, received } = await startWithTwo({ STOP_DELAY: '0' })
  const stopping = app.stop()
  socket.write(call('third', 0))
  await stopping
  await closed(socket)
  expect(received()).toMatch(/"text":"first".*"text":"second".*"text":"third"/s)
  expect(received().match(/^Connection: close\r$/gm)).toHaveLength(1)
})

test('do not keep the server from stopping if their client has disconnected', async () => {
  const { app, socket } = await startWithTwo()
  socket.destroy()
  await app.stop()
})

test('release their slots if their client has disconnected', async () => {
  const { app, socket } = await startWithTwo({ MAX_CALLS: '2' })
  socket.destroy()
  const call = async (text: string) =>
    (await read(postModern(app.url, 'tools/call', echo(text, 100)))).status
  await expect.poll(() => Promise.all(['a', 'b'].map(call))).toEqual([200, 200])
  await app.stop()
})
