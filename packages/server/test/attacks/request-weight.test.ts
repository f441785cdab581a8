/** The weight of requests in rate limits grows with their bodies. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { limitsIn } from '../support/rate-limits.ts'
import { startTokenApp } from '../support/token-app.ts'
import { post, postModern, postText, read, request } from '../support/wire.ts'

const KIBIBYTE = 1024
const ADDRESS = 100
const ENV = {
  RATE_LIMIT: 'on',
  TRUSTED_PROXIES: '1',
  RATE_LIMIT_ADDRESS: String(ADDRESS),
  RATE_LIMIT_CALLER: '40',
}

let last = 0
const newAddress = () => {
  last += 1
  return { 'x-forwarded-for': `192.0.2.${last}` }
}

/** A request of exactly this many bytes. */
function sized(bytes: number): string {
  const text = (pad: string) => JSON.stringify(request('ping', { pad }))
  return text('x'.repeat(bytes - text('').length))
}

/** The same in chunks, of undeclared length. */
function chunked(url: string, body: string, headers: Readonly<Record<string, string>>) {
  const bytes = new TextEncoder().encode(body)
  const stream = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 10_000) {
        controller.enqueue(bytes.subarray(at, at + 10_000))
      }
      controller.close()
    },
  })
  const type = 'application/json'
  const fields = { 'content-type': type, accept: `${type}, text/event-stream`, ...headers }
  const init = { method: 'POST', headers: fields, body: stream, duplex: 'half' }
  return fetch(`${url}/mcp`, init as RequestInit)
}

const remaining = (headers: Headers) => limitsIn(headers)[0]?.remaining

describe('a request counts', () => {
  let app: TestApp
  beforeAll(async () => {
    app = await startApp({ env: ENV })
  })
  afterAll(() => app.stop())

  it.each([
    [200, 1],
    [16 * KIBIBYTE - 1, 1],
    [16 * KIBIBYTE, 2],
    [160 * KIBIBYTE, 11],
    [1024 * KIBIBYTE, 65],
  ])('%d bytes as %d', async (bytes, weight) => {
    const body = sized(bytes)
    const answer = await read(postText(app.url, body, newAddress()))
    expect(remaining(answer.headers)).toBe(ADDRESS - weight)
    const inChunks = await read(chunked(app.url, body, newAddress()))
    expect(remaining(inChunks.headers)).toBe(ADDRESS - weight)
  })

  it('no more than the largest body that is read', async () => {
    const here = newAddress()
    const tooLarge = await read(postText(app.url, sized(3 * 1024 * KIBIBYTE), here))
    expect(tooLarge.status).toBe(413)
    const { headers } = await read(post(app.url, request('ping'), here))
    expect(remaining(headers)).toBeGreaterThanOrEqual(ADDRESS - 66)
  })

  it('until its address has sent too much, which is refused with 429', async () => {
    const here = newAddress()
    const send = async () => (await read(postText(app.url, sized(1024 * KIBIBYTE), here))).status
    expect(await send()).not.toBe(429)
    expect(await send()).toBe(429)
    expect((await read(post(app.url, request('ping'), here))).status).toBe(429)
    expect((await read(post(app.url, request('ping'), newAddress()))).status).not.toBe(429)
  })

  it('at the endpoints of the authorization server too', async () => {
    const send = (bytes: number) =>
      fetch(`${app.url}/token`, { method: 'POST', body: 'x'.repeat(bytes), headers: newAddress() })
    const small = remaining((await send(10)).headers)
    const large = remaining((await send(48 * KIBIBYTE)).headers)
    expect([small, large]).toEqual([599, 596])
  })
})

it('of a session counts the same', async () => {
  const app = await startTokenApp({ env: ENV })
  const headers = { ...newAddress(), ...(await app.bearer({ subject: 'ada', client: 'client-a' })) }
  const pad = 'x'.repeat(32 * KIBIBYTE)
  const params = { name: 'session', arguments: { pad } }
  const answer = await read(postModern(app.url, 'tools/call', params, { headers }))
  expect(limitsIn(answer.headers)).toMatchObject([{ limit: 'caller', remaining: 40 - 3 }])
  await app.stop()
})
