/** The balancer of `npm run cluster`, against nodes that show what it does to them. */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import { type Balancer, startBalancer } from '../../../../scripts/cluster/balancer.ts'
import { freePort } from '../support/free-port.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function node(listener: RequestListener): Promise<{ port: number; server: Server }> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(async () => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, server }
}

async function balance(...nodes: number[]): Promise<Balancer> {
  const balancer = await startBalancer({ nodes })
  closing.push(balancer.close)
  return balancer
}

const says = (name: string) => node((_, response) => response.end(name))
const ask = async (url: string, init?: RequestInit) => (await fetch(url, init)).text()

describe('requests', () => {
  test('go to one node after the other, and are counted', async () => {
    const nodes = [await says('a'), await says('b'), await says('c')]
    const balancer = await balance(...nodes.map(({ port }) => port))
    const answers: string[] = []
    for (let turn = 0; turn < 7; turn += 1) answers.push(await ask(balancer.url))
    expect(answers.join('')).toBe('abcabca')
    expect(balancer.served).toEqual([3, 2, 2])
  })

  test('come over connections that stay open longer than clients keep them', async () => {
    const { url } = await balance((await says('a')).port)
    const { headers } = await fetch(url)
    expect(headers.get('keep-alive')).toBe('timeout=120')
  })

  test('arrive as they were sent, and so do answers', async () => {
    let seen: Pick<IncomingMessage, 'method' | 'url' | 'headers'> | undefined
    const { port } = await node(async (request, response) => {
      seen = request
      response.writeHead(201, 'Made', { 'set-cookie': ['a=1', 'b=2'], 'x-own': 'yes' })
      response.end(await text(request))
    })
    const { url } = await balance(port)
    const headers = { 'x-given': 'yes', connection: 'keep-alive' }
    const response = await fetch(`${url}/path?q=1`, { method: 'PUT', headers, body: 'body' })
    expect(await response.text()).toBe('body')
    expect(response.status).toBe(201)
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(seen).toMatchObject({ method: 'PUT', url: '/path?q=1' })
    expect(seen?.headers).toMatchObject({ 'x-given': 'yes', host: new URL(url).host })
  })

  test('append the client address', async () => {
    const { port } = await node(({ headers }, response) => response.end(headers['x-forwarded-for']))
    const { url } = await balance(port)
    expect(await ask(url)).toMatch(/^(::ffff:)?127\.0\.0\.1$/)
    const headers = { 'x-forwarded-for': '192.0.2.1' }
    expect(await ask(url, { headers })).toMatch(/^192\.0\.2\.1, (::ffff:)?127\.0\.0\.1$/)
  })

  test('skip nodes that refuse connections, with the whole body, once', async () => {
    const bodies: string[] = []
    const { port } = await node(async (request, response) => {
      bodies.push(await text(request))
      response.end('here')
    })
    const balancer = await balance(await freePort(), await freePort(), port)
    const body = 'x'.repeat(1_000_000)
    expect(await ask(balancer.url, { method: 'POST', body })).toBe('here')
    expect(bodies).toEqual([body])
    expect(balancer.served).toEqual([0, 0, 1])
  })

  test('are not sent twice when a node ends in the middle', async () => {
    let requests = 0
    const { port } = await node((request) => {
      requests += 1
      request.socket.destroy()
    })
    const other = await says('other')
    const { url } = await balance(port, other.port)
    expect((await fetch(url, { method: 'POST', body: 'x' })).status).toBe(502)
    expect(requests).toBe(1)
  })

  test('are answered with 503 when every node refuses', async () => {
    const { url } = await balance(await freePort(), await freePort())
    const response = await fetch(url)
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
  })
})

describe('streams', () => {
  test('come through as they are written', async () => {
    let write: (chunk: string) => void = () => undefined
    const { port } = await node((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      write = (chunk) => response.write(chunk)
    })
    const { url } = await balance(port)
    const response = await fetch(url)
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    for (const chunk of ['data: 1\n\n', 'data: 2\n\n']) {
      write(chunk)
      expect(await reader?.read()).toEqual({ done: false, value: chunk })
    }
    await reader?.cancel()
  })

  test('are closed at the node when the client disconnects', async () => {
    let gone = () => {}
    const isGone = new Promise<void>((resolve) => {
      gone = resolve
    })
    const { port } = await node((_, response) => {
      response.on('close', gone)
      response.write('data: 1\n\n')
    })
    const { url } = await balance(port)
    const leaving = new AbortController()
    await fetch(url, { signal: leaving.signal })
    leaving.abort()
    await isGone
  })

  test('are aborted at the client when the node disconnects', async () => {
    const { port, server } = await node((_, response) => response.write('data: 1\n\n'))
    const { url } = await balance(port)
    const response = await fetch(url)
    server.closeAllConnections()
    await expect(response.text()).rejects.toThrow()
  })
})
