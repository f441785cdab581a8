/** How many connections a node holds, and for how long without a request. */

import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { createHttpServer, listen } from '../../src/http/http-server.ts'
import { socketsWithin } from '../../src/http/socket-limit.ts'
import { startApp } from '../support/app.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function start(env: Readonly<Record<string, string>>) {
  const app = await startApp({ env })
  closing.push(() => app.stop())
  const open = async () => {
    const socket = connect(Number(new URL(app.localUrl).port), '127.0.0.1')
    socket.on('error', () => undefined)
    closing.push(() => socket.destroy())
    await once(socket, 'connect')
    return socket
  }
  return { app, open }
}

/** The status of a probe on this connection; undefined if it is closed. */
async function probe(socket: Socket): Promise<string | undefined> {
  if (!socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n')) return undefined
  const [data] = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [''])])
  return /^HTTP\/1\.1 (\d+)/.exec(String(data))?.[1]
}

test('connections up to the limit are served, one more is closed and counted', async () => {
  const { app, open } = await start({ MAX_SOCKETS: '3', METRICS_TOKEN: 'x'.repeat(32) })
  const sockets = [await open(), await open(), await open()]
  const one = await open()
  if (!one.closed) await once(one, 'close')
  expect(await Promise.all(sockets.map(probe))).toEqual(['200', '200', '200'])
  // The served ones are idle now, and are closed in favour of new requests.
  const next = await open()
  if (!next.closed) await once(next, 'close')
  await expect.poll(async () => probe(await open())).toBe('200')
  const headers = { authorization: `Bearer ${'x'.repeat(32)}` }
  const metrics = await fetch(`${app.localUrl}/metrics`, { headers })
  expect(await metrics.text()).toMatch(/mcp_rate_limited_total\{scope="sockets"\} [2-9]/)
})

test('a connection is kept for longer than the header timeout, and serves again', async () => {
  const { open } = await start({})
  const socket = await open()
  expect(await probe(socket)).toBe('200')
  await delay(13_000)
  expect(await probe(socket)).toBe('200')
})

test('an idle connection is closed after KEEP_ALIVE_TIMEOUT', async () => {
  const { open } = await start({ KEEP_ALIVE_TIMEOUT: '1' })
  const socket = await open()
  expect(await probe(socket)).toBe('200')
  await once(socket, 'close')
})

test('idle connections do not delay a server that stops', async () => {
  const app = await startApp({})
  const socket = connect(Number(new URL(app.localUrl).port), '127.0.0.1')
  await once(socket, 'connect')
  expect(await probe(socket)).toBe('200')
  const closed = once(socket, 'close')
  await app.stop()
  await closed
})

test('the limit on open files is respected, and a lower limit than configured is logged', () => {
  const warnings: unknown[] = []
  const log = { warn: (...args: readonly unknown[]) => void warnings.push(args[0]) }
  expect(socketsWithin(500, log, 1024)).toBe(500)
  expect(warnings).toEqual([])
  expect(socketsWithin(10_000, log, 1024)).toBe(824)
  expect(warnings).toEqual([{ maxSockets: 824, openFiles: 1024 }])
  expect(socketsWithin(10_000, log, Number.POSITIVE_INFINITY)).toBe(10_000)
})

test('a stop waits for requests, not for idle connections', async () => {
  const calls = new EventEmitter()
  const { server, drain } = createHttpServer(() => ({
    guard: () => undefined,
    fetch: async () => {
      const finished = once(calls, 'finish')
      calls.emit('arrived')
      await finished
      return new Response('done')
    },
    mounts: new Map(),
  }))
  const port = await listen(server, '127.0.0.1', 0)
  const unused = connect(port, '127.0.0.1')
  await once(unused, 'connect')
  const arrived = once(calls, 'arrived')
  const answer = fetch(`http://127.0.0.1:${port}/`).then((response) => response.text())
  await arrived
  // Longer than the test may take.
  const drained = drain(3_600_000)
  calls.emit('finish')
  await drained
  expect(await answer).toBe('done')
})
