/** Operations with other bodies than JSON, and responses with a meaningful status and headers. */

import { describe, expect, it } from 'vitest'
import { callTool } from '../support/tools.ts'
import { documentOf, generate, load, operationWith, testOf } from './generated.ts'

const signedIn = { signedInAs: { sub: 'ada' } }
const text = { type: 'string' }
const binary = { type: 'string', format: 'binary' }

/** Generates one operation, calls its tool, and returns everything observable. */
async function run(method: string, operation: object, input: object, answer: unknown) {
  const paths = { '/x': { [method]: { operationId: 'probe', ...operation } } }
  const generated = await generate(documentOf(paths))
  expect(generated.skipped).toEqual({})
  const tool = (await load(generated))('probe')
  const upstream = { [`${method.toUpperCase()} /x`]: () => answer }
  const result = await callTool(tool, { ...input }, { ...signedIn, upstream })
  return { ...result, source: generated.code.probe ?? '', test: testOf(generated, 'probe') }
}

const posting = (type: string, schema: object) => ({
  requestBody: { content: { [type]: { schema } } },
  responses: { 204: { description: 'Done' } },
})
const base64 = (given: string) => Buffer.from(given).toString('base64')

describe('bodies', () => {
  it('of multipart/form-data have files as Base64, and lists repeat', async () => {
    const properties = {
      title: text,
      file: binary,
      more: { type: 'array', items: binary },
      tags: { type: 'array', items: text },
      meta: { type: 'object', properties: { a: { type: 'integer' } } },
      size: { type: 'integer' },
    }
    const schema = { type: 'object', required: ['title', 'file'], properties }
    const input = {
      title: 't',
      file: base64('png'),
      more: [base64('1')],
      tags: ['a', 'b'],
      meta: { a: 1 },
    }
    const result = await run('post', posting('multipart/form-data', schema), input, undefined)
    expect(result.isError, result.text).toBe(false)
    const form = result.requests[0]?.body as FormData
    expect(form.get('title')).toBe('t')
    expect(await (form.get('file') as File).text()).toBe('png')
    expect(form.getAll('more')).toHaveLength(1)
    expect(form.getAll('tags')).toEqual(['a', 'b'])
    expect(form.get('meta')).toBe('{"a":1}')
    expect(form.has('size')).toBe(false)
  })

  it('of forms are encoded', async () => {
    const schema = {
      type: 'object',
      required: ['a'],
      properties: { a: text, n: { type: 'number' } },
    }
    const type = 'application/x-www-form-urlencoded'
    const { requests } = await run('post', posting(type, schema), { a: 'x &', n: 2 }, undefined)
    expect(String(requests[0]?.body)).toBe('a=x+%26&n=2')
  })

  it('of bytes are sent unchanged, with their type', async () => {
    const input = { body: base64('png') }
    const { requests } = await run('put', posting('image/png', binary), input, undefined)
    expect(requests[0]).toMatchObject({ contentType: 'image/png' })
    expect(Buffer.from(requests[0]?.body as Uint8Array).toString()).toBe('png')
  })
})

describe('answers', () => {
  const answered = (type: string, schema: object = binary) => ({
    responses: { 200: { description: 'OK', content: { [type]: { schema } } } },
  })
  const sent = (body: string, type: string) =>
    new Response(body, { headers: { 'content-type': type } })

  it('that are images become image blocks, and other bytes are embedded', async () => {
    const image = await run('get', answered('image/png'), {}, sent('png', 'image/png'))
    expect(image.content).toEqual([{ type: 'image', data: base64('png'), mimeType: 'image/png' }])
    const pdf = await run('get', answered('application/pdf'), {}, sent('pdf', 'application/pdf'))
    expect(pdf.content).toMatchObject([
      { type: 'resource', resource: { mimeType: 'application/pdf', blob: base64('pdf') } },
    ])
    expect(pdf.source).not.toContain('output')
  })

  it('that are texts become text blocks', async () => {
    const csv = await run('get', answered('text/csv', text), {}, sent('a,b', 'text/csv'))
    expect(csv.structuredContent).toEqual({ text: 'a,b' })
  })

  it('include described headers', async () => {
    const headers = { ETag: {}, Location: {}, 'X-Total-Count': {}, 'X-Other': {} }
    const content = { 'application/json': { schema: { type: 'object', properties: { id: text } } } }
    const operation = { responses: { 201: { description: 'Made', headers, content } } }
    const answer = Response.json(
      { id: '7' },
      { status: 201, headers: { etag: '"1"', location: '/x/7' } },
    )
    const { structuredContent } = await run('post', operation, {}, answer)
    expect(structuredContent).toEqual({ id: '7', etag: '"1"', location: '/x/7' })
  })

  it('name the next page of the Link header', async () => {
    const parameters = [{ name: 'cursor', in: 'query', schema: text }]
    const { responses: documented } = operationWith({ type: 'array', items: text }) as {
      readonly responses: { readonly 200: object }
    }
    const responses = { 200: { ...documented[200], headers: { Link: {} } } }
    const link = '</x?cursor=c%2F2>; rel="next"'
    const answer = Response.json(['a'], { headers: { link } })
    const first = await run('get', { parameters, responses }, {}, answer)
    expect(first.structuredContent).toEqual({ items: ['a'], next: 'c/2' })
    const last = await run('get', { parameters, responses }, {}, ['b'])
    expect(last.structuredContent).toEqual({ items: ['b'] })
  })
})

describe('refusals', () => {
  const refused = async (body: unknown) => {
    const responses = { 204: { description: 'Gone' }, 409: { description: 'The name is taken.' } }
    return (await run('delete', { responses }, {}, Response.json(body, { status: 409 }))).text
  }

  it('reach the model with the message of the API, or that of its document', async () => {
    expect(await refused({ message: 'A ticket of that title exists.' })).toBe(
      'A ticket of that title exists.',
    )
    expect(await refused({ code: 12 })).toBe('The name is taken.')
  })
})
