/** Unfinished bodies: how much of a node they may occupy, and who may send them. */

import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { residentMegabytes } from '../../../../bench/process-facts.ts'
import { startApp } from '../support/app.ts'
import { type ServerProcess, startServerProcess } from '../support/process.ts'
import { postUnfinished, type UnfinishedPost } from '../support/unfinished-body.ts'
import { PROTOCOL_CATALOG, postModern, read } from '../support/wire.ts'

const KIBIBYTE = 1024
const MEBIBYTE = 1024 * KIBIBYTE
const FORM = 'application/x-www-form-urlencoded'
const BUDGET = 4 * MEBIBYTE

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function start(env: Readonly<Record<string, string>> = {}) {
  const app = await startApp({ catalogDirectory: PROTOCOL_CATALOG, env })
  closing.push(() => app.stop())
  const send = async (options: Partial<Parameters<typeof postUnfinished>[1]> = {}) => {
    const post = await postUnfinished(app.localUrl, { bytes: MEBIBYTE, ...options })
    closing.push(() => post.socket.destroy())
    return post
  }
  return { app, send }
}

const statusOf = ({ answer }: UnfinishedPost) => /^HTTP\/1\.1 (\d+)/.exec(answer())?.[1]

/** The first that is refused with 503. */
async function refusedOf(posts: readonly UnfinishedPost[]): Promise<UnfinishedPost> {
  await expect.poll(() => posts.map(statusOf)).toContain('503')
  const refused = posts.find((post) => statusOf(post) === '503')
  if (refused === undefined) throw new Error('None was refused')
  return refused
}

const echo = (url: string, text = 'hi') =>
  read(postModern(url, 'tools/call', { name: 'echo', arguments: { text } }))

describe('the budget of a node', () => {
  test('is refused above the limit, and released when others disconnect', async () => {
    const { app, send } = await start({ MAX_BODY_BYTES_IN_PROGRESS: String(BUDGET) })
    const posts = await Promise.all([send(), send(), send(), send(), send()])
    const refused = await refusedOf(posts)
    expect(refused.answer()).toMatch(/^retry-after: 1$/im)
    expect(refused.answer()).toMatch(/^connection: close$/im)
    expect(posts.filter((post) => statusOf(post) === undefined)).toHaveLength(4)
    // Ordinary calls are served meanwhile.
    expect((await echo(app.url)).status).toBe(200)
    expect((await echo(app.url, 'x'.repeat(20_000))).status).toBe(503)
    for (const { socket } of posts) socket.destroy()
    await expect.poll(async () => (await echo(app.url, 'x'.repeat(900_000))).status).toBe(200)
  })

  test.each(['finished', 'refused'])('is released by requests that are %s', async (how) => {
    const { app } = await start({ MAX_BODY_BYTES_IN_PROGRESS: String(MEBIBYTE) })
    const bodyOf = () =>
      how === 'finished' ? echo(app.url, 'x'.repeat(900_000)) : badBody(app.url)
    for (let round = 0; round < 5; round += 1) {
      expect((await bodyOf()).status).toBe(how === 'finished' ? 200 : 400)
    }
  })

  const badBody = (url: string) =>
    fetch(`${url}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: '*/*' },
      body: 'x'.repeat(900_000),
    })

  test('counts the bodies of the authorization server as well', async () => {
    const { app, send } = await start({ MAX_BODY_BYTES_IN_PROGRESS: String(128 * KIBIBYTE) })
    const form = { path: '/token', bytes: 50 * KIBIBYTE, contentType: FORM }
    const posts = await Promise.all([send(form), send(form), send(form)])
    const refused = await refusedOf(posts)
    expect(refused.answer()).toContain('temporarily_unavailable')
    expect(refused.answer()).toMatch(/^retry-after: 1$/im)
    for (const { socket } of posts) socket.destroy()
    const later = () =>
      fetch(`${app.url}/token`, {
        method: 'POST',
        body: new URLSearchParams({ a: 'x'.repeat(40_000) }),
      })
    await expect.poll(async () => (await later()).status).toBe(400)
  })

  test('covers all transports', async () => {
    const { send } = await start({ MAX_BODY_BYTES_IN_PROGRESS: String(MEBIBYTE) })
    await refusedOf([await send(), await send({ path: '/messages?session_id=x' })])
  })
})

describe('without a token where one is required', () => {
  test.each(['/mcp', '/http', '/messages?session_id=x'])(
    '%s answers before the body',
    async (path) => {
      const { send } = await start({ MCP_AUTH: 'required' })
      const post = await send({ path })
      await expect.poll(() => statusOf(post)).toBe('401')
      expect(post.answer()).toMatch(/^connection: close$/im)
      expect(post.answer()).toMatch(/^www-authenticate: Bearer /im)
      if (!post.socket.closed) await once(post.socket, 'close')
    },
  )

  test('an unfinished body does not prevent reading the response', async () => {
    const { app } = await start({ MCP_AUTH: 'required' })
    for (const body of ['{}', 'x'.repeat(MEBIBYTE), new Uint8Array(MEBIBYTE - 1)]) {
      for (let round = 0; round < 5; round += 1) {
        const headers = { 'content-type': 'application/json' }
        const response = await fetch(`${app.url}/mcp`, { method: 'POST', headers, body })
        expect(response.status).toBe(401)
        expect(await response.text()).toContain('unauthorized')
      }
    }
  })

  test('an invalid token is refused before the body, too', async () => {
    const { send } = await start()
    const post = await send({ headers: ['Authorization: Bearer x.y.z'] })
    await expect.poll(() => statusOf(post)).toBe('401')
  })

  test('no request that follows the body on the connection is run', async () => {
    const { app, send } = await start({ MCP_AUTH: 'required' })
    const post = await send()
    await expect.poll(() => statusOf(post)).toBe('401')
    const before = app.lines.length
    post.socket.write(' GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n')
    if (!post.socket.closed) await once(post.socket, 'close')
    expect(post.answer().match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(app.lines.slice(before).join('')).not.toContain('/livez')
  })
})

test('a caller above a rate limit is refused before the body', async () => {
  const { app, send } = await start({ RATE_LIMIT: 'on', RATE_LIMIT_ADDRESS: '2' })
  await echo(app.url)
  await echo(app.url)
  const post = await send()
  await expect.poll(() => statusOf(post)).toBe('429')
})

test.each([
  ['no route', '/nothing', [], '404'],
  ['another method', '/sse', [], '405'],
  ['another encoding', '/mcp', ['Content-Encoding: gzip'], '415'],
  ['another origin', '/mcp', ['Origin: https://evil.example'], '403'],
])('%s: the response does not wait for the body', async (_what, path, headers, status) => {
  const { send } = await start()
  const post = await send({ path, headers })
  await expect.poll(() => statusOf(post)).toBe(status)
  expect(post.answer()).toMatch(/^connection: close$/im)
})

test.each(['/mcp', '/token'])('%s: a body in very many pieces is refused', async (path) => {
  const { send } = await start()
  const contentType = path === '/token' ? FORM : 'application/json'
  const post = await send({ path, contentType, chunks: '1\r\n \r\n'.repeat(5000) })
  await expect.poll(() => statusOf(post)).toBe('400')
  expect(post.answer()).toContain('too many small chunks')
})

test('300 unfinished bodies without a token take no memory', async () => {
  const server: ServerProcess = await startServerProcess({ env: { MCP_AUTH: 'required' } })
  closing.push(() => server.stop())
  const { publicUrl } = await server.line('ready')
  const rss = () => residentMegabytes(server.child.pid ?? 0)
  const before = rss()
  const posts = await Promise.all(
    Array.from({ length: 300 }, () => postUnfinished(String(publicUrl), { bytes: MEBIBYTE })),
  )
  closing.push(() => {
    for (const { socket } of posts) socket.destroy()
  })
  await expect.poll(() => posts.filter((post) => statusOf(post) === '401').length).toBe(300)
  expect(rss() - before).toBeLessThan(64)
})
