/** A client that disconnects in the middle of its body. */

import { connect } from 'node:net'
import { expect, test, vi } from 'vitest'
import { startApp } from '../support/app.ts'

test('is not an error of the server', async () => {
  const app = await startApp()
  const socket = connect(Number(new URL(app.localUrl).port), 'localhost')
  const head = ['POST /mcp HTTP/1.1', 'Host: localhost', 'Content-Type: application/json']
  socket.write([...head, 'Content-Length: 100', '', '{"jsonrpc"'].join('\r\n'))
  setTimeout(() => socket.destroy(), 100)
  await vi.waitFor(
    () => expect(app.lines.join('')).toContain('The request body is incomplete'),
    30_000,
  )
  expect(app.lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([])
  await app.stop()
})
