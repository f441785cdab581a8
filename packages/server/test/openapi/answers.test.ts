/** Generated tools return the declared fields, masked where a name suggests it. */

import { describe, expect, it } from 'vitest'
import { callTool } from '../support/tools.ts'
import { type AnswerOptions, answerOf, documentOf, generate, load } from './generated.ts'

const signedIn = { signedInAs: { sub: 'ada' } }
const text = { type: 'string' }

async function contentOf(schema: unknown, answer: unknown, options?: AnswerOptions) {
  return (await answerOf(schema, answer, options)).structuredContent
}

describe('the root of an answer', () => {
  it.each([
    ['a list', { type: 'array', items: text }, ['a'], { items: ['a'] }],
    ['a text', text, 'a', { value: 'a' }],
    ['a number', { type: 'integer' }, 3, { value: 3 }],
    ['a map', { type: 'object', additionalProperties: text }, { a: 'b' }, { value: { a: 'b' } }],
    [
      'an object or null',
      { type: ['object', 'null'], properties: { a: text } },
      null,
      { value: null },
    ],
    ['a free object', { type: 'object' }, { a: 1 }, { done: true }],
    ['a list of free objects', { type: 'array', items: {} }, [{ a: 1 }], { done: true }],
    ['one of texts and numbers', { oneOf: [text, { type: 'number' }] }, 4, { value: 4 }],
  ])('may be %s', async (_, schema, answer, expected) => {
    expect(await contentOf(schema, answer)).toEqual(expected)
  })

  it('may be missing', async () => {
    const paths = { '/x': { delete: { responses: { 204: { description: 'Gone' } } } } }
    const tool = (await load(await generate(documentOf(paths))))('delete_x')
    const upstream = { 'DELETE /x': () => undefined }
    const result = await callTool(tool, {}, { ...signedIn, upstream })
    expect(result.structuredContent).toEqual({ done: true })
  })

  it('must have a supported media type', async () => {
    const content = { 'application/x-protobuf': {}, 'multipart/mixed': {} }
    const paths = { '/x': { get: { responses: { 200: { description: '', content } } } } }
    expect((await generate(documentOf(paths))).skipped).toEqual({
      'GET /x': 'its answer is application/x-protobuf, not JSON',
    })
  })

  it('is chosen from several media types, as any JSON', async () => {
    const content = { 'text/csv': {}, 'application/vnd.x+json; charset=utf-8': { schema: text } }
    const paths = { '/x': { get: { responses: { 200: { description: '', content } } } } }
    expect((await generate(documentOf(paths))).plans.get('get_x')?.answer.wrappedIn).toBe('value')
  })
})

describe('schemas', () => {
  it('drop undeclared fields', async () => {
    const schema = { type: 'object', properties: { a: text } }
    expect(await contentOf(schema, { a: 'x', secret: 'y' })).toEqual({ a: 'x' })
  })

  it('are put together from allOf, with references', async () => {
    const components = {
      schemas: {
        Base: { type: 'object', required: ['id'], properties: { id: text } },
        'Odd/na~me': { type: 'object', properties: { b: { type: 'integer' } } },
      },
    }
    const schema = {
      allOf: [
        { $ref: '#/components/schemas/Base' },
        { $ref: '#/components/schemas/Odd~1na~0me' },
        { properties: { c: { type: 'boolean' } }, required: ['c'] },
      ],
    }
    const answer = { id: 'i', b: 2, c: true }
    expect(await contentOf(schema, { ...answer, d: 1 }, { components })).toEqual(answer)
  })

  it('merge the objects of oneOf and anyOf, so that none hides the fields of another', async () => {
    const a = { type: 'object', required: ['kind'], properties: { kind: { const: 'a' }, a: text } }
    const b = { type: 'object', required: ['kind'], properties: { kind: { const: 'b' }, b: text } }
    for (const keyword of ['oneOf', 'anyOf']) {
      const schema = {
        type: 'object',
        properties: { both: { type: 'array', items: { [keyword]: [a, b] } } },
      }
      const both = [
        { kind: 'a', a: 'x' },
        { kind: 'b', b: 'y' },
      ]
      expect(await contentOf(schema, { both })).toEqual({ both })
    }
  })

  it('merge alternatives with their own fields', async () => {
    const schema = {
      type: 'object',
      required: ['id'],
      properties: { id: text },
      oneOf: [{ properties: { a: text } }, { properties: { b: text } }],
    }
    expect(await contentOf(schema, { id: '1', b: 'x' })).toEqual({ id: '1', b: 'x' })
  })

  it('ignore alternatives that differ in required fields only', async () => {
    const schema = {
      type: 'object',
      properties: { a: text, b: text },
      anyOf: [{ required: ['a'] }, { required: ['b'] }],
    }
    expect(await contentOf(schema, { b: 'x' })).toEqual({ b: 'x' })
  })

  it.each([
    ['nullable', { ...text, nullable: true }],
    ['a list of types', { type: ['string', 'null'] }],
    ['anyOf with null', { anyOf: [text, { type: 'null' }] }],
    ['an enum with null', { enum: ['x', null] }],
    ['null itself', { type: 'null' }],
  ])('take null: %s', async (_, schema) => {
    const object = { type: 'object', required: ['a'], properties: { a: schema } }
    expect(await contentOf(object, { a: null }, { openapi: '3.0.3' })).toEqual({ a: null })
  })

  it('have enums of any plain values', async () => {
    const properties = {
      a: { enum: [1, 2, 'three', true] },
      b: { type: 'integer', enum: [10, 20] },
      c: { type: 'string', enum: ['__proto__', 'constructor', "it's"] },
    }
    const answer = { a: 'three', b: 20, c: '__proto__' }
    expect(await contentOf({ type: 'object', properties }, answer)).toEqual(answer)
  })

  it('omit free-form objects and undescribed fields, and say so', async () => {
    const properties = { a: text, free: { type: 'object' }, any: {}, list: { type: 'array' } }
    const answer = { a: 'x', free: { b: 1 }, any: 2, list: [3] }
    const { structuredContent, source } = await answerOf({ type: 'object', properties }, answer)
    expect(structuredContent).toEqual({ a: 'x' })
    expect(source).toContain('// left out: free: an object of any fields')
    expect(source).toContain('// left out: any: anything')
  })

  it('say that they omit further fields', async () => {
    const schema = { type: 'object', properties: { a: text }, additionalProperties: true }
    expect((await answerOf(schema, { a: 'x', b: 'y' })).source).toContain(
      '// left out: further fields',
    )
  })

  it('are truncated where they are recursive', async () => {
    const components = {
      schemas: {
        Node: {
          type: 'object',
          properties: {
            name: text,
            parent: { $ref: '#/components/schemas/Node' },
            children: { type: 'array', items: { $ref: '#/components/schemas/Node' } },
          },
        },
      },
    }
    const schema = { $ref: '#/components/schemas/Node' }
    const answer = { name: 'a', parent: { name: 'b' }, children: [{ name: 'c' }] }
    const { structuredContent, source } = await answerOf(schema, answer, { components, depth: 9 })
    expect(structuredContent).toEqual({ name: 'a' })
    expect(source).toContain('// left out: children: leads back to itself')
  })

  it('are truncated at the maximum depth', async () => {
    const nested = (levels: number): object =>
      levels === 0 ? text : { type: 'object', properties: { a: text, n: nested(levels - 1) } }
    const answer = { a: '1', n: { a: '2', n: { a: '3', n: 'deep' } } }
    expect(await contentOf(nested(3), answer, { depth: 2 })).toEqual({ a: '1', n: { a: '2' } })
    expect(await contentOf(nested(3), answer, { depth: 3 })).toEqual(answer)
  })

  it('omit fields that only requests have', async () => {
    const properties = { a: text, password: { ...text, writeOnly: true } }
    expect(await contentOf({ type: 'object', properties }, { a: 'x', password: 'y' })).toEqual({
      a: 'x',
    })
  })

  it('accept any length and format: the API is responsible for them', async () => {
    const properties = {
      a: { ...text, maxLength: 1, pattern: '^b$', format: 'uuid' },
      n: { type: 'integer', maximum: 1 },
    }
    const answer = { a: 'longer', n: 2 ** 60 }
    expect(await contentOf({ type: 'object', properties }, answer)).toEqual(answer)
  })
})
