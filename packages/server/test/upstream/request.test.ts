/** `request()`: the response for tools, and the statuses that are results. */

import { describe, expect, test } from 'vitest'
import { failure, setUp } from './api-client-setup.ts'
import { type Answer, inTurn, json } from './misbehaving-server.ts'

/** A response of any type. */
const raw =
  (body: string | Uint8Array, type: string | undefined, status = 200, headers = {}): Answer =>
  (res) =>
    res
      .writeHead(status, { ...(type !== undefined && { 'content-type': type }), ...headers })
      .end(body)

describe('a response', () => {
  test('has its status, headers by lower-case name, and body', async () => {
    const headers = { ETag: '"v1"', Location: '/tickets/7', 'X-Total-Count': '40' }
    const { api } = await setUp(json({ id: 7 }, 201, headers))
    const { status, headers: got, body } = await api.request('POST', '/tickets', {}, { body: {} })
    expect({ status, body }).toEqual({ status: 201, body: { id: 7 } })
    expect(got).toMatchObject({ etag: '"v1"', location: '/tickets/7', 'x-total-count': '40' })
    expect(got.constructor).toBeUndefined()
  })

  test('joins duplicate headers, and has no cookies', async () => {
    const { api } = await setUp((res) => {
      res.setHeader('x-a', ['1', '2'])
      res.setHeader('set-cookie', ['a=secret', 'b=secret'])
      json({})(res, {} as never, 0)
    })
    const { headers } = await api.request('GET', '/a')
    expect(headers['x-a']).toBe('1, 2')
    expect(JSON.stringify(headers)).not.toMatch(/cookie|secret/)
  })

  test('has its links as absolute URLs, by relation', async () => {
    const link =
      '</v1/a?page=2&q=a,b>; rel="next last", <https://x.example/?c=;>; title="a, \\"b\\"; c"; rel=prev, <javascript:1>; rel=first'
    const { api, server } = await setUp(json([], 200, { link }))
    const { links } = await api.request('GET', '/a')
    const second = `${server.origin}/v1/a?page=2&q=a,b`
    expect({ ...links }).toEqual({ next: second, last: second, prev: 'https://x.example/?c=;' })
  })

  test('to HEAD has headers only', async () => {
    const { api } = await setUp((res) =>
      res.writeHead(200, { 'content-length': 5e8, etag: '"1"' }).end(),
    )
    const { status, headers, body } = await api.request('HEAD', '/a')
    expect([status, headers.etag, body]).toEqual([200, '"1"', undefined])
  })

  test.each(['authorization', 'x-echo'])('does not show credentials in %s', async (name) => {
    const { api } = await setUp(
      (res, req) =>
        json({}, 200, { [name]: `got ${req.headers.authorization} ${req.headers['x-api-key']}` })(
          res,
          req,
          0,
        ),
      { apiKey: 'secret-api-key' },
    )
    expect(JSON.stringify(await api.request('GET', '/a'))).not.toMatch(/secret/)
  })
})

describe('a body that echoes credentials', () => {
  const echo: Answer = (res, req) => json({ got: req.headers.authorization, more: 1 })(res, req, 0)

  test.each(['json', 'text', 'bytes', 'stream'] as const)(
    'has asterisks instead as %s',
    async (as) => {
      const { api } = await setUp(echo)
      const body = await api.get('/a', {}, { as: as as 'json' })
      const text = as === 'json' ? JSON.stringify(body) : await new Response(body as string).text()
      expect(JSON.parse(text)).toEqual({ got: 'Bearer ************', more: 1 })
    },
  )

  test('has asterisks instead in the message of a refusal', async () => {
    const { api } = await setUp((res, req) =>
      json({ message: `bad token ${req.headers.authorization}` }, 403)(res, req, 0),
    )
    const explain = (_: number, body: unknown) => (body as { message: string }).message
    expect((await failure(api.get('/a', {}, { explain }))).message).toBe(
      'bad token Bearer ************',
    )
  })
})

describe('an answer read as', () => {
  test('text is decoded by its charset', async () => {
    const { api } = await setUp(
      raw(Buffer.from('caf\xe9', 'latin1'), 'text/csv; charset="ISO-8859-1"'),
    )
    expect(await api.get('/a', {}, { as: 'text' })).toBe('café')
  })

  test.each([
    ['text/plain; charset=made-up', Buffer.from('a')],
    ['text/plain', Buffer.from([0xff, 0xfe, 0xfd])],
  ])('malformed text of %s is a bad response', async (type, body) => {
    const { api } = await setUp(raw(body, type))
    expect((await failure(api.get('/a', {}, { as: 'text' }))).code).toBe('upstream_bad_response')
  })

  test('bytes is unchanged', async () => {
    const sent = Uint8Array.from({ length: 256 }, (_, index) => index)
    const { api } = await setUp(raw(sent, 'image/png'))
    const { headers, body } = await api.request('GET', '/a', {}, { as: 'bytes' })
    expect(body).toEqual(sent)
    expect(headers['content-type']).toBe('image/png')
  })

  test('a stream arrives in parts, and complete', async () => {
    const sent = Buffer.alloc(300_000, 'abc')
    const { api } = await setUp(raw(sent, 'text/csv'))
    const body = await api.get('/a', {}, { as: 'stream' })
    const parts: Uint8Array[] = []
    for await (const part of body) parts.push(part)
    expect(parts.length).toBeGreaterThan(1)
    expect(Buffer.concat(parts).equals(sent)).toBe(true)
  })

  test.each([
    ['json', undefined],
    ['text', ''],
    ['bytes', new Uint8Array()],
  ] as const)('%s of 204, or without content, is %j', async (as, empty) => {
    const none: Answer = (res) => res.writeHead(204).end()
    const length: Answer = (res) =>
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': '0' }).end()
    const { api } = await setUp(inTurn(none, length))
    const options = { as: as as 'json' }
    expect(await api.get('/a', {}, options)).toEqual(empty)
    expect(await api.get('/a', {}, options)).toEqual(empty)
  })

  test('JSON may begin with a byte order mark', async () => {
    const { api } = await setUp(raw('\uFEFF{"a":1}', 'application/problem+json'))
    expect(await api.get('/a')).toEqual({ a: 1 })
  })
})

describe('conditional requests', () => {
  test('send ETags; 304 is a result without a body', async () => {
    const { api, server } = await setUp((res) => res.writeHead(304, { etag: '"2"' }).end())
    const { status, headers, body } = await api.request('GET', '/a', {}, { ifNoneMatch: '"2"' })
    expect([status, headers.etag, body]).toEqual([304, '"2"', undefined])
    expect(server.seen[0]?.headers['if-none-match']).toBe('"2"')
  })

  test('an unexpected 304 is a bad response', async () => {
    const { api } = await setUp((res) => res.writeHead(304).end())
    expect(await failure(api.get('/a'))).toMatchObject({
      code: 'upstream_bad_response',
      status: 304,
    })
  })

  test('412 and 409 reach the tool, as errors or as results', async () => {
    const { api, server } = await setUp(inTurn(json({}, 412), json({ now: 3 }, 409)))
    const error = await failure(api.patch('/a', {}, { body: {}, ifMatch: '"1"' }))
    expect(error).toMatchObject({ code: 'upstream_rejected', status: 412 })
    expect(server.seen[0]?.headers['if-match']).toBe('"1"')
    const options = { body: {}, statuses: [409, 412] }
    const answer = await api.request('PATCH', '/a', {}, options)
    expect(answer).toMatchObject({ status: 409, body: { now: 3 } })
  })

  test('401 is never a result', async () => {
    const { api, server } = await setUp(json({}, 401))
    const options = { statuses: [401] }
    expect((await failure(api.get('/a', {}, options))).code).toBe('upstream_unauthorized')
    expect(server.seen).toHaveLength(1)
  })
})

describe('a refusal that the tool explains', () => {
  const explain = (status: number, body: unknown) => `${status}: ${JSON.stringify(body)}`

  test('has its text as the message, and its status', async () => {
    const { api } = await setUp(json({ errors: ['title is too long'] }, 422))
    expect(await failure(api.post('/a', {}, { body: {}, explain }))).toMatchObject({
      code: 'upstream_rejected',
      status: 422,
      message: '422: {"errors":["title is too long"]}',
    })
  })

  test.each([
    ['text', raw('no\u0000pe\u202e', 'text/plain', 400), 'no pe'],
    ['HTML of a proxy', raw('<p>x', 'text/html', 400), '<p>x'],
    ['bytes', raw('x', 'image/png', 400), 'undefined'],
    ['broken JSON', raw('{', 'application/json', 400), 'undefined'],
    ['nothing', raw('', undefined, 400), 'undefined'],
    ['too much', raw('x'.repeat(70_000), 'text/plain', 400), 'undefined'],
    ['an encoding', raw('x', 'text/plain', 400, { 'content-encoding': 'gzip' }), 'undefined'],
  ])('of %s', async (_, answer, words) => {
    const { api } = await setUp(answer)
    const asItIs = (_: number, body: unknown) => String(body)
    expect((await failure(api.get('/a', {}, { explain: asItIs }))).message).toBe(words)
  })

  test('is truncated at 500 characters', async () => {
    const { api } = await setUp(json({}, 400))
    const { message } = await failure(api.get('/a', {}, { explain: () => '𝒳'.repeat(600) }))
    expect(message).toHaveLength(500)
    expect(message.isWellFormed()).toBe(true)
  })

  test.each([undefined, '', ' \n ', 7])('keeps the standard message for %j', async (words) => {
    const { api } = await setUp(json({}, 404))
    const error = await failure(api.get('/a', {}, { explain: () => words as string }))
    expect(error.message).toBe('The service has nothing under that name.')
  })

  test('fails as `explain` does', async () => {
    const { api } = await setUp(json({}, 404))
    const own = new Error('mine')
    const explain = () => {
      throw own
    }
    await expect(api.get('/a', {}, { explain })).rejects.toBe(own)
  })

  test('is not called for failures of the API itself', async () => {
    const { api } = await setUp(json({ message: 'stack trace' }, 500))
    expect((await failure(api.get('/a', {}, { explain }))).message).not.toContain('stack')
  })
})
