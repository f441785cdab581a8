/** Generated tools send the requests of the document: parameters, bodies, headers. */

import { describe, expect, it } from 'vitest'
import { callTool } from '../support/tools.ts'
import { documentOf, generate, load } from './generated.ts'

const signedIn = { signedInAs: { sub: 'ada' } }
const text = { type: 'string' }

/** Generates one operation, calls it, and returns the request to the API. */
async function requestOf(
  method: string,
  path: string,
  operation: object,
  input: Readonly<Record<string, unknown>>,
) {
  const generated = await generate(
    documentOf({ [path]: { [method]: { operationId: 'probe', responses: {}, ...operation } } }),
  )
  expect(generated.skipped).toEqual({})
  const tool = (await load(generated))('probe')
  const upstream = { [`${method.toUpperCase()} ${path}`]: null }
  const result = await callTool(tool, input, { ...signedIn, upstream })
  expect(result.isError, result.text).toBe(false)
  return result.requests[0] ?? expect.fail('nothing was sent')
}

async function reasonOf(method: string, path: string, operation: object): Promise<string> {
  const { skipped } = await generate(documentOf({ [path]: { [method]: operation } }))
  return Object.values(skipped)[0] ?? expect.fail('was not skipped')
}

const query = (name: string, schema: object, further: object = {}) => ({
  ...{ name, in: 'query', schema },
  ...further,
})

describe('parameters', () => {
  it('go into the path and the query, whatever their names for the model', async () => {
    const parameters = [
      { name: 'account-id', in: 'path', required: true, schema: text },
      query('$filter', text),
      query('sort by', text),
      query('session', text),
      query('1st', text),
    ]
    const input = {
      account_id: 'a/1',
      filter: 'x',
      sort_by: 'y',
      session_value: 'z',
      value_1st: 'q',
    }
    const { params } = await requestOf('get', '/accounts/{account-id}', { parameters }, input)
    expect(params).toEqual({
      ...{ 'account-id': 'a/1', $filter: 'x', 'sort by': 'y', session: 'z', '1st': 'q' },
    })
  })

  it('that differ only in characters that names cannot have stay distinct', async () => {
    const parameters = [query('a.b', text), query('a-b', text), query('a_b', text)]
    const input = { a_b: '1', a_b_2: '2', a_b_3: '3' }
    const { params } = await requestOf('get', '/x', { parameters }, input)
    expect(params).toEqual({ 'a.b': '1', 'a-b': '2', a_b: '3' })
  })

  it('of the path that the document does not declare are texts', async () => {
    expect((await requestOf('get', '/x/{id}', {}, { id: '7' })).params).toEqual({ id: '7' })
  })

  it('bound the size of a page, and keep its position', async () => {
    const parameters = [
      query('per_page', { type: 'integer', maximum: 5000, example: 4000 }),
      query('page', { type: 'integer' }),
    ]
    expect((await requestOf('get', '/x', { parameters }, { page: 2 })).params).toEqual({
      ...{ per_page: 20, page: 2 },
    })
    const generated = await generate(documentOf({ '/x': { get: { parameters, responses: {} } } }))
    const tool = (await load(generated))('get_x')
    expect((await callTool(tool, { per_page: 101 }, signedIn)).code).toBe('invalid_arguments')
  })

  it('that are objects are spread, as deepObject or as fields', async () => {
    const schema = { type: 'object', properties: { status: text, 'a-b': { type: 'integer' } } }
    const parameters = [
      query('filter', schema, { style: 'deepObject' }),
      query('range', { type: 'object', properties: { from: text } }),
    ]
    const input = { filter: { status: 'open', 'a-b': 3 }, range: { from: 'now' } }
    const { params } = await requestOf('get', '/x', { parameters }, input)
    expect(params).toEqual({ 'filter[status]': 'open', 'filter[a-b]': 3, from: 'now' })
    expect((await requestOf('get', '/x', { parameters }, {})).params).toEqual({})
  })

  it('that are lists are joined if permitted', async () => {
    const schema = { type: 'array', items: text }
    const parameters = [
      query('ids', schema, { explode: false }),
      query('pipes', schema, { style: 'pipeDelimited', explode: false }),
    ]
    const input = { ids: ['a', 'b'], pipes: ['c', 'd'] }
    const { params } = await requestOf('get', '/x', { parameters }, input)
    expect(params).toEqual({ ids: 'a,b', pipes: 'c|d' })
  })

  it('that are JSON are written as JSON', async () => {
    const content = { 'application/json': { schema: { type: 'object', properties: { a: text } } } }
    const parameters = [{ name: 'where', in: 'query', content }]
    const { params } = await requestOf('get', '/x', { parameters }, { where: { a: 'b' } })
    expect(params).toEqual({ where: '{"a":"b"}' })
  })

  it('of the operation override those of the path item', async () => {
    const paths = {
      '/x': {
        parameters: [query('a', text), query('b', text)],
        get: { parameters: [query('a', { type: 'integer' })], responses: {} },
      },
    }
    const tool = (await load(await generate(documentOf(paths))))('get_x')
    const upstream = { 'GET /x': null }
    const result = await callTool(tool, { a: 1, b: 'c' }, { ...signedIn, upstream })
    expect(result.requests[0]?.params).toEqual({ a: 1, b: 'c' })
  })

  it('that are headers are constants to fill in', async () => {
    const header = { name: 'X-Version', in: 'header', required: true, schema: text, example: '2' }
    const own = { name: 'Authorization', in: 'header', required: true, schema: text }
    const { headers } = await requestOf('get', '/x', { parameters: [header, own] }, {})
    expect(headers).toEqual({ 'X-Version': '2' })
  })

  it('make a write idempotent, if the API accepts a key', async () => {
    const parameters = [{ name: 'Idempotency-Key', in: 'header', required: true, schema: text }]
    const { idempotencyKey } = await requestOf('post', '/x', { parameters }, {})
    expect(idempotencyKey).toMatch(/^[0-9a-f-]{36}$/)
  })

  it.each([
    ['a cookie', { name: 'c', in: 'cookie', required: true, schema: text }, 'is a cookie'],
    [
      'one with the name of a path parameter',
      query('id', text, { required: true }),
      'is called as one of',
    ],
    [
      'a list of objects',
      query(
        'a',
        { type: 'array', items: { type: 'object', properties: { b: text } } },
        { required: true },
      ),
      'list of values other than strings, numbers and booleans',
    ],
    [
      'a header of no name',
      { name: 'a b', in: 'header', required: true, schema: text },
      'is no name of a header',
    ],
  ])('skip an operation that needs %s', async (_, parameter, reason) => {
    const operation = { parameters: [parameter], responses: {} }
    expect(await reasonOf('get', '/x/{id}', operation)).toContain(reason)
  })
})

describe('bodies', () => {
  const json = (schema: object, further: object = {}) => ({
    requestBody: { content: { 'application/json': { schema } }, ...further },
  })
  const body = {
    type: 'object',
    required: ['name'],
    properties: { name: text, size: { type: 'integer' } },
  }

  it('have their fields among the arguments', async () => {
    const request = await requestOf('post', '/x', json(body), { name: 'n', size: 1 })
    expect(request.body).toEqual({ name: 'n', size: 1 })
  })

  it('are one argument if a field has the name of a parameter', async () => {
    const operation = { parameters: [query('name', text)], ...json(body) }
    const input = { name: 'in the query', body: { name: 'in the body' } }
    const request = await requestOf('put', '/x', operation, input)
    expect([request.params, request.body]).toEqual([
      { name: 'in the query' },
      { name: 'in the body' },
    ])
  })

  it.each([
    ['lists', { type: 'array', items: text }, ['a']],
    ['texts', text, 'a'],
    ['maps', { type: 'object', additionalProperties: { type: 'integer' } }, { a: 1 }],
    ['free objects', { type: 'object' }, { a: { b: [1] } }],
    ['anything', {}, [1, { a: null }]],
  ])('that are %s are sent unchanged', async (_, schema, value) => {
    const request = await requestOf('patch', '/x', json(schema), { body: value })
    expect(request.body).toEqual(value)
  })

  it('omit fields that only responses have', async () => {
    const schema = { ...body, properties: { ...body.properties, id: { ...text, readOnly: true } } }
    const request = await requestOf('post', '/x', json(schema), { name: 'n', id: 'mine' })
    expect(request.body).toEqual({ name: 'n' })
  })

  it.each([
    ['multipart/form-data', 'its body is multipart/form-data, not JSON'],
    ['text/plain', 'its body is text/plain, not JSON'],
  ])('skip an operation with %s', async (type, reason) => {
    const requestBody = { content: { [type]: { schema: text } } }
    expect(await reasonOf('post', '/x', { requestBody, responses: {} })).toBe(reason)
  })
})
