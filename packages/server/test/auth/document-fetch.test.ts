/** Client ID metadata documents: fetching, caching and refusals. */

import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { createDocumentFetch, type DocumentFetchOptions } from '../../src/auth/document-fetch.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'
import { failingStore } from '../support/failing-store.ts'
import { type HttpsServer, startHttpsServer } from '../support/https-server.ts'
import type { Answer } from '../upstream/misbehaving-server.ts'

let server: HttpsServer | undefined
afterEach(() => server?.close())

interface SetUpOptions extends DocumentFetchOptions {
  readonly store?: Store
}

/** A host of documents, and the fetch that may reach it, with a clock that the test advances. */
async function setUp(answer: Answer, options: SetUpOptions = {}) {
  const started = await startHttpsServer(answer)
  server = started
  let time = 1_800_000_000_000
  const now = () => time
  const { store = createMemoryStore({ now }), ...rest } = options
  const make = () =>
    createDocumentFetch({ store, now }, { allowLoopback: true, ca: started.ca, ...rest })
  return {
    server: started,
    make,
    url: `${started.origin}/client.json`,
    pass: (seconds: number) => {
      time += seconds * 1000
    },
  }
}

type Fetching = ReturnType<typeof createDocumentFetch>

/** What one authorization request does with a client's address. */
async function fetchOnce(documents: Fetching, url: string): Promise<Response> {
  expect(await documents.allowFetch({}, url)).toBe(true)
  return documents.fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(10_000) })
}

/** A valid document for any requested URL. */
function valid(headers: Record<string, string> = {}): Answer {
  return (res, { url, headers: { host } }) => {
    res.writeHead(200, { 'content-type': 'application/json', ...headers })
    res.end(JSON.stringify({ client_id: `https://${host}${url}`, client_name: 'App' }))
  }
}

describe('a metadata document', () => {
  it('is fetched with a plain GET and returned unchanged', async () => {
    const { make, url, server } = await setUp(valid())
    const response = await fetchOnce(make(), url)
    expect(await response.json()).toEqual({ client_id: url, client_name: 'App' })
    expect(server.seen).toHaveLength(1)
    expect(server.seen[0]).toMatchObject({
      method: 'GET',
      headers: { accept: 'application/json', 'accept-encoding': 'identity' },
    })
  })

  it('is cached for all nodes, for five minutes at least', async () => {
    const { make, url, server, pass } = await setUp(valid({ 'cache-control': 'no-store' }))
    await fetchOnce(make(), url)
    pass(299)
    const cached = await fetchOnce(make(), url)
    expect(cached.headers.get('cache-control')).toBe('max-age=1')
    expect(await cached.json()).toMatchObject({ client_id: url })
    expect(server.seen).toHaveLength(1)
    pass(1)
    await fetchOnce(make(), url)
    expect(server.seen).toHaveLength(2)
  })

  it.each([
    ['max-age=1200', 1200],
    ['public, MAX-AGE=1200', 1200],
    ['max-age=1', 300],
    ['max-age=999999999', 86_400],
    ['no-store, max-age=9999', 300],
    ['s-maxage=9999', 300],
    ['max-age=-5', 300],
  ])('with %s is cached for %d seconds', async (cacheControl, seconds) => {
    const { make, url, server, pass } = await setUp(valid({ 'cache-control': cacheControl }))
    await fetchOnce(make(), url)
    pass(seconds - 1)
    await fetchOnce(make(), url)
    expect(server.seen).toHaveLength(1)
    pass(1)
    await fetchOnce(make(), url)
    expect(server.seen).toHaveLength(2)
  })

  it('is fetched once in an authorization request', async () => {
    const { make, url } = await setUp(valid())
    const documents = make()
    const context = {}
    expect(await documents.allowFetch(context, url)).toBe(true)
    expect(await documents.allowFetch(context, `${url}?2`)).toBe(false)
    expect(await documents.allowFetch({}, `${url}?2`)).toBe(true)
  })

  it("cannot be fetched while the store is unavailable, which is not the client's fault", async () => {
    const store = failingStore()
    const { make, url, server } = await setUp(valid(), { store })
    store.disconnect()
    await expect(make().allowFetch({}, url)).rejects.toMatchObject({ code: 'unavailable' })
    expect(server.connections()).toBe(0)
  })
})

describe('a document that was valid once', () => {
  const DAY = 24 * 3600
  /** Valid at first; then the given response. */
  const validOnce = (later: Answer): Answer => {
    return (res, request, index) => (index === 0 ? valid() : later)(res, request, index)
  }
  const failures: readonly (readonly [string, Answer])[] = [
    ['does not answer', (res) => res.destroy()],
    ['fails', (res) => res.writeHead(503).end()],
    ['returns an unrelated page', (res) => res.end('<html>')],
  ]

  it.each(failures)(
    'stays in use when its host %s, and is requested again later',
    async (_, later) => {
      const { make, url, server, pass } = await setUp(validOnce(later))
      await fetchOnce(make(), url)
      for (const asked of [2, 3]) {
        pass(300)
        for (let tries = 0; tries < 3; tries += 1) {
          const cached = await fetchOnce(make(), url)
          expect(cached.headers.get('cache-control')).toBe('max-age=30')
          expect(await cached.json()).toMatchObject({ client_id: url })
        }
        expect(server.seen).toHaveLength(asked)
      }
    },
  )

  it('is cached for a day, and longer if its client has tokens', async () => {
    const { make, url, pass } = await setUp(validOnce((res) => res.writeHead(503).end()))
    const documents = make()
    await fetchOnce(documents, url)
    await documents.keep(url, 30 * DAY)
    pass(29 * DAY)
    expect((await fetchOnce(documents, url)).status).toBe(200)
    await documents.keep(url, 30 * DAY)
    pass(29 * DAY)
    expect((await fetchOnce(documents, url)).status).toBe(200)
    pass(DAY)
    expect((await fetchOnce(documents, url)).status).toBe(503)
  })

  it('is cached as long again after a refresh', async () => {
    let isUnavailable = false
    const { make, url, pass } = await setUp((res, request, index) =>
      isUnavailable ? res.destroy() : valid()(res, request, index),
    )
    const documents = make()
    await fetchOnce(documents, url)
    await documents.keep(url, 30 * DAY)
    pass(2 * DAY)
    await fetchOnce(documents, url)
    isUnavailable = true
    pass(29 * DAY)
    expect((await fetchOnce(documents, url)).status).toBe(200)
  })

  it.each([404, 410])('is removed when its host answers %d', async (status) => {
    const { make, url, pass } = await setUp(validOnce((res) => res.writeHead(status).end()))
    await fetchOnce(make(), url)
    pass(300)
    expect((await fetchOnce(make(), url)).status).toBe(status)
  })

  it('does not count against the limit of new documents of its host', async () => {
    const { make, url, server, pass } = await setUp(valid())
    const documents = make()
    await fetchOnce(documents, url)
    pass(300)
    for (let n = 0; n < 60; n += 1) await documents.allowFetch({}, `${url}?${n}`)
    await expect(documents.allowFetch({}, `${url}?60`)).rejects.toThrow('Too many')
    expect((await fetchOnce(documents, url)).status).toBe(200)
    expect(server.seen).toHaveLength(2)
  })
})

describe('what is no metadata document', () => {
  const refusals: readonly (readonly [string, Answer])[] = [
    ['that of another client', (res) => res.end('{"client_id":"https://other.example/"}')],
    ['no JSON', (res) => res.end('<html>')],
    ['null', (res) => res.end('null')],
    ['not UTF-8', (res) => res.end(Buffer.from([0x7b, 0xff, 0x7d]))],
    ['too large', (res) => res.end(`{"client_id":"${'x'.repeat(5 * 1024)}"}`)],
    [
      'encoded',
      (res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"client_id":""}')),
    ],
    [
      'cut off',
      (res) => res.writeHead(200, { 'content-length': '99' }).write('{', () => res.destroy()),
    ],
  ]

  it.each(refusals)('is refused: %s', async (_, answer) => {
    const { make, url } = await setUp(answer)
    await expect(fetchOnce(make(), url)).rejects.toThrow()
  })

  it('is not requested again for 30 seconds, on any node', async () => {
    const { make, url, server, pass } = await setUp((res) => res.end('<html>'))
    for (let tries = 0; tries < 5; tries += 1) {
      await expect(fetchOnce(make(), url)).rejects.toThrow('Not the metadata')
    }
    expect(server.seen).toHaveLength(1)
    pass(30)
    await expect(fetchOnce(make(), url)).rejects.toThrow('Not the metadata')
    expect(server.seen).toHaveLength(2)
  })

  it('reports its status, cached as briefly', async () => {
    const { make, url, server } = await setUp((res) => res.writeHead(404).end())
    expect((await fetchOnce(make(), url)).status).toBe(404)
    expect((await fetchOnce(make(), url)).status).toBe(404)
    expect(server.seen).toHaveLength(1)
  })

  it('is requested from one host 60 times a minute at most', async () => {
    const { make, url, server, pass } = await setUp((res) => res.writeHead(404).end())
    const documents = make()
    for (let n = 0; n < 60; n += 1) await fetchOnce(documents, `${url}?${n}`)
    await expect(documents.allowFetch({}, `${url}?60`)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('Too many'),
    })
    expect(server.seen).toHaveLength(60)
    pass(60)
    expect((await fetchOnce(documents, `${url}?60`)).status).toBe(404)
  })
})
