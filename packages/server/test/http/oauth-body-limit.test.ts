/** The largest body of the authorization server's endpoints, before a plain handler that reads it. */

import { createServer } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { listen } from '../../src/http/http-server.ts'
import { limitOAuthBody } from '../../src/http/oauth/oauth-body-limit.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function start() {
  const bodies: number[] = []
  const handler = limitOAuthBody(async (request, response) => {
    let size = 0
    for await (const chunk of request) size += chunk.length
    bodies.push(size)
    response.writeHead(201).end()
  })
  const server = createServer((request, response) => void handler(request, response))
  const port = await listen(server, '127.0.0.1', 0)
  closing.push(
    () => server.closeAllConnections(),
    () => server.close(),
  )
  const send = (init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}/token`, { method: 'POST', body: '{}', ...init })
  return { send, bodies }
}

describe('bodies', () => {
  /** Of undeclared length. */
  const chunked = (bytes: number, piece = 16 * 1024) => {
    let left = bytes
    const body = new ReadableStream({
      pull(controller) {
        const size = Math.min(piece, left)
        left -= size
        controller.enqueue(new Uint8Array(size))
        if (left === 0) controller.close()
      },
    })
    return { body, duplex: 'half' } as RequestInit
  }

  it.each([
    ['of declared length', () => ({ body: 'x'.repeat(64 * 1024) })],
    ['in chunks', () => chunked(64 * 1024)],
  ])('of 64 KB are read: %s', async (_, init) => {
    const { send, bodies } = await start()
    expect((await send(init())).status).toBe(201)
    expect(bodies).toEqual([64 * 1024])
  })

  it.each([
    ['of declared length', () => ({ body: 'x'.repeat(64 * 1024 + 1) })],
    ['in chunks', () => chunked(64 * 1024 + 1)],
    ['in one chunk', () => chunked(300 * 1024, 300 * 1024)],
  ])('of more are refused, and never processed in part: %s', async (_, init) => {
    const { send, bodies } = await start()
    const answer = await send(init())
    expect(answer.status).toBe(413)
    expect(await answer.json()).toMatchObject({ error: 'invalid_request' })
    expect((await send()).status).toBe(201)
    expect(bodies).toEqual([2])
  })

  it('without end are aborted', async () => {
    const { send, bodies } = await start()
    let sent = 0
    const endless = new ReadableStream({
      pull(controller) {
        sent += 64 * 1024
        controller.enqueue(new Uint8Array(64 * 1024))
      },
    })
    const init = { body: endless, duplex: 'half' } as RequestInit
    // Refused or aborted: which one the client sees first may vary.
    await send(init).catch(() => undefined)
    expect(sent).toBeLessThan(100 * 1024 * 1024)
    expect(bodies).toEqual([])
  })
})
