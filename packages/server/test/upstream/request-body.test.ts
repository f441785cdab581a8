/** Requests of `request()`: bodies of all kinds, repeated parameters, and injection attempts. */

import { describe, expect, test } from 'vitest'
import { setUp } from './api-client-setup.ts'
import { inTurn, json } from './misbehaving-server.ts'

describe('a request body', () => {
  const sent = async (body: unknown, more: object = {}) => {
    const { api, server } = await setUp(json({}))
    await api.post('/a', {}, { body, ...more })
    const { headers, body: text } = server.seen[0] ?? { headers: {}, body: '' }
    return { type: headers['content-type'], length: headers['content-length'], text }
  }

  test('of URLSearchParams is a form', async () => {
    const form = new URLSearchParams([
      ['a', '1 &'],
      ['a', 'é'],
    ])
    expect(await sent(form)).toMatchObject({
      type: 'application/x-www-form-urlencoded;charset=UTF-8',
      length: '16',
      text: 'a=1+%26&a=%C3%A9',
    })
  })

  test('of FormData is multipart, without injection by names', async () => {
    const form = new FormData()
    form.set('title', 'Screen')
    form.set('file', new Blob(['png'], { type: 'image/png' }), 'a"\r\nX-Evil: 1\r\n.png')
    const { type, text } = await sent(form)
    const parsed = await new Response(text, { headers: { 'content-type': type ?? '' } }).formData()
    expect(parsed.get('title')).toBe('Screen')
    expect((parsed.get('file') as File).type).toBe('image/png')
    expect(text).not.toMatch(/^X-Evil/m)
  })

  test.each([
    ['bytes', new Uint8Array([97, 98]), {}, 'application/octet-stream', 'ab'],
    [
      'bytes of a type',
      new Uint8Array([97]).buffer,
      { contentType: 'image/png' },
      'image/png',
      'a',
    ],
    ['a blob', new Blob(['ab'], { type: 'text/csv' }), {}, 'text/csv', 'ab'],
    [
      'JSON of a type',
      { a: 1 },
      { contentType: 'application/merge-patch+json' },
      'application/merge-patch+json',
      '{"a":1}',
    ],
    ['a text', 'ab', {}, 'application/json', '"ab"'],
  ])('of %s', async (_, body, more, type, text) => {
    expect(await sent(body, more)).toMatchObject({ type, text, length: String(text.length) })
  })

  test.each([
    [{ body: undefined, contentType: 'none' }],
    [{ body: () => 1 }],
    [{ body: new ReadableStream() }],
    [{ body: 1, contentType: 'a/b\r\nx: y' }],
    [{ body: new URLSearchParams(), contentType: 'text/plain' }],
    [{ headers: { 'x-a': 'b\r\nx-evil: 1' } }],
    [{ headers: { 'x-a\r\nx-evil': '1' } }],
    [{ headers: { 'Proxy-Authorization': 'x' } }],
    [{ ifMatch: '"a"\nx: y' }],
    [{ idempotencyKey: 'a\r\n' }],
  ])('is refused as %j if it is malformed', async (options) => {
    const { api, server } = await setUp(json({}))
    await expect(api.post('/a', {}, options as never)).rejects.toThrow(TypeError)
    expect(server.seen).toHaveLength(0)
  })

  test('is sent again unchanged', async () => {
    const { api, server } = await setUp(inTurn(json({}, 503), json({})))
    const body = new FormData()
    body.set('a', '1')
    await api.put('/a', {}, { body })
    expect(server.seen[0]?.body).toBe(server.seen[1]?.body)
  })
})

test('repeated parameters are sent for each value of a list', async () => {
  const { api, server } = await setUp(json({}))
  await api.get('/a/{+path}', { path: 'x/y z', tag: ['a', 'b&c'], none: [], no: null, n: 1 })
  expect(server.seen[0]?.url).toBe('/a/x/y%20z?tag=a&tag=b%26c&n=1')
})

test.each(['', 'a//b', '../b', 'a/./b', 'a/..'])('the path %j is refused', async (path) => {
  const { api, server } = await setUp(json({}))
  await expect(api.get('/a/{+path}', { path })).rejects.toThrow(TypeError)
  expect(server.seen).toHaveLength(0)
})
