/** Lists page by page: by link, cursor and number; bounded, and within the base URL. */

import { describe, expect, test } from 'vitest'
import type { UpstreamError } from '../../src/upstream/upstream-error.ts'
import { setUp } from './api-client-setup.ts'
import { type Answer, json } from './misbehaving-server.ts'

async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const each of list) found.push(each)
  return found
}

async function reasonOf(list: AsyncIterable<unknown>): Promise<string | undefined> {
  return all(list).then(
    () => 'none',
    (error: UpstreamError) => error.reason,
  )
}

/** Pages of two items, `last` of them, with a link to the next one. */
const linked =
  (last: number, path = ''): Answer =>
  (res, req) => {
    const url = new URL(req.url, 'http://x')
    const page = Number(url.searchParams.get('page') ?? 1)
    url.searchParams.set('page', String(page + 1))
    const link = `<${path || url.pathname}${url.search}>; rel="next"`
    json([page * 2 - 1, page * 2], 200, page < last ? { link } : {})(res, req, 0)
  }

describe('by Link', () => {
  test('yields the items of all pages, with the parameters of the link', async () => {
    const { api, server } = await setUp(linked(3), {})
    const params = { id: 'a b', tag: ['x', 'y'] }
    const items = api.items<number>('/t/{id}', params, { by: 'link' })
    expect(await all(items)).toEqual([1, 2, 3, 4, 5, 6])
    expect(server.seen.map(({ url }) => url)).toEqual([
      '/t/a%20b?tag=x&tag=y',
      '/t/a%20b?tag=x&tag=y&page=2',
      '/t/a%20b?tag=x&tag=y&page=3',
    ])
    expect(server.seen.at(-1)?.headers.authorization).toBe('Bearer secret-token')
  })

  test('follows to another path of the API', async () => {
    const { api, server } = await setUp(linked(2, '/by-id/7%2F8'))
    expect(await all(api.items('/by-name', {}, { by: 'link' }))).toHaveLength(4)
    expect(server.seen[1]?.url).toBe('/by-id/7%2F8?page=2')
  })

  test.each(['https://evil.example/v1/a', 'http://127.0.0.1:1/v1/a', '/other', '/v1', '/v1/%ff'])(
    'does not follow to %s, outside of the base URL',
    async (target) => {
      const { server } = await setUp(json([1], 200, { link: `<${target}>; rel=next` }))
      const inside = await setUp(json([]), { baseUrl: `${server.origin}/v1` })
      expect(await reasonOf(inside.api.items('/a', {}, { by: 'link' }))).toBe('link')
      expect(server.seen).toHaveLength(1)
    },
  )

  test('ends if a page links to itself', async () => {
    const { api, server } = await setUp(json([1], 200, { link: '</a>; rel=next' }))
    expect(await reasonOf(api.items('/a', {}, { by: 'link' }))).toBe('repeated page')
    expect(server.seen).toHaveLength(1)
  })
})

describe('by cursor', () => {
  const pages: Answer = (res, req) => {
    const at = Number(new URL(req.url, 'http://x').searchParams.get('after') ?? 0)
    json({ data: [at], next: at < 2 ? at + 1 : null })(res, req, 0)
  }
  const options = {
    by: 'cursor',
    parameter: 'after',
    cursor: (body: unknown) => (body as { next: number | null }).next,
    items: (body: unknown) => (body as { data: number[] }).data,
  } as const

  test('yields pages until there is no cursor', async () => {
    const { api } = await setUp(pages)
    expect(await all(api.items('/a', { q: 1 }, options))).toEqual([0, 1, 2])
    const bodies = (await all(api.pages('/a', {}, options))).map(({ body }) => body)
    expect(bodies.at(-1)).toEqual({ data: [2], next: null })
  })

  test('ends if a cursor repeats', async () => {
    const { api, server } = await setUp(json({ data: [1], next: 'same' }))
    expect(await reasonOf(api.items('/a', {}, options))).toBe('repeated page')
    expect(server.seen).toHaveLength(2)
  })
})

describe('by number', () => {
  test('yields pages until one is empty', async () => {
    const { api, server } = await setUp((res, req) => {
      const page = Number(new URL(req.url, 'http://x').searchParams.get('p'))
      json(page < 3 ? [page] : [])(res, req, 0)
    })
    expect(await all(api.items('/a', {}, { by: 'page', parameter: 'p' }))).toEqual([1, 2])
    expect(server.seen.map(({ url }) => url)).toEqual(['/a?p=1', '/a?p=2', '/a?p=3'])
    expect(await all(api.items('/a', {}, { by: 'page', parameter: 'p', first: 0 }))).toEqual([
      0, 1, 2,
    ])
    expect(await all(api.items('/a', { p: 2 }, { by: 'page', parameter: 'p' }))).toEqual([2])
  })
})

describe('bounds', () => {
  test.each([
    [{ maxItems: 3 }, [1, 2, 3], 2],
    [{ maxPages: 2 }, [1, 2, 3, 4], 2],
    [{ maxItems: 0 }, [], 0],
    [{}, Array.from({ length: 20 }, (_, index) => index + 1), 10],
  ])('%j yields %j of an endless list', async (bounds, items, requests) => {
    const { api, server } = await setUp(linked(Number.POSITIVE_INFINITY))
    expect(await all(api.items('/a', {}, { by: 'link', ...bounds }))).toEqual(items)
    expect(server.seen).toHaveLength(requests)
  })

  test('only pages that are read are requested, and none after the call', async () => {
    const { api, server } = await setUp(linked(9))
    for await (const item of api.items('/a', {}, { by: 'link' })) if (item === 1) break
    expect(server.seen).toHaveLength(1)
    const abort = new AbortController()
    const rest = api.items('/a', {}, { by: 'link', signal: abort.signal })
    await rest.next()
    await rest.next()
    abort.abort()
    await expect(rest.next()).rejects.toMatchObject({ code: 'upstream_cancelled' })
    expect(server.seen).toHaveLength(2)
  })

  test('a page that is not a list is a bad response', async () => {
    const { api } = await setUp(json({ data: 'x' }))
    expect(await reasonOf(api.items('/a', {}, { by: 'link' }))).toBe('items')
  })
})
