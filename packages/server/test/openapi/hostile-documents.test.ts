/** Hostile documents: references, sizes and types that are refused or truncated, and never followed. */

import { describe, expect, it } from 'vitest'
import { DocumentError, parseDocument } from '../../src/openapi/document.ts'
import { documentOf, generate, load, operationWith } from './generated.ts'

const text = { type: 'string' }
const marks = globalThis as { pwned?: unknown }

describe('paths', () => {
  it.each([
    '/x?a=b',
    '/x#a',
    '//evil.example/x',
    'x',
    '/a/../b',
    '/a/./b',
    '/a b',
    "/'",
    '/\\x',
    '/é',
  ])('that are not valid routes skip the operation: %s', async (path) => {
    const { plans, skipped } = await generate(documentOf({ [path]: { get: { responses: {} } } }))
    expect(plans.size).toBe(0)
    expect(skipped[`GET ${path}`]).toMatch(/its path has/)
  })

  it('of another server skip the operation', async () => {
    const servers = [{ url: 'https://evil.example' }]
    const paths = { '/a': { servers, get: {} }, '/b': { get: { servers } } }
    expect(Object.values((await generate(documentOf(paths))).skipped)).toEqual([
      'it is on a server of its own',
      'it is on a server of its own',
    ])
  })
})

describe('references', () => {
  it.each([
    'https://evil.example/schema.json',
    'file:///etc/passwd',
    '../other.yaml#/x',
    'other.json',
    '#anchor',
  ])('that leave the document are refused: %s', async ($ref) => {
    const paths = { '/x': { get: operationWith({ $ref }) } }
    expect((await generate(documentOf(paths))).skipped).toEqual({
      'GET /x': `refers outside of the document: ${$ref}`,
    })
  })

  it.each(['#/nowhere', '#/__proto__', '#/paths/constructor', '#/info/title/length'])(
    'without a target are refused: %s',
    async ($ref) => {
      const { skipped } = await generate(documentOf({ '/x': { get: operationWith({ $ref }) } }))
      expect(skipped['GET /x']).toBe(`refers to a missing part: ${$ref}`)
    },
  )

  it('in a cycle end', async () => {
    const components = {
      schemas: { A: { $ref: '#/components/schemas/B' }, B: { $ref: '#/components/schemas/A' } },
      parameters: { P: { $ref: '#/components/parameters/P' } },
    }
    const paths = {
      '/a': { get: operationWith({ $ref: '#/components/schemas/A' }) },
      '/p': { get: { parameters: [{ $ref: '#/components/parameters/P' }] } },
      '/all': {
        get: operationWith({ allOf: [{ $ref: '#/paths/~1all/get/responses/200/content' }] }),
      },
    }
    const { plans, skipped } = await generate(documentOf(paths, { components }))
    expect(plans.has('get_a')).toBe(true)
    expect(skipped['GET /p']).toBe('has references that lead in a circle')
  })

  it('that multiply are refused early', async () => {
    const schemas: Record<string, object> = { S0: text }
    for (let at = 1; at < 40; at += 1) {
      const $ref = `#/components/schemas/S${at - 1}`
      schemas[`S${at}`] = { oneOf: [{ $ref }, { $ref }] }
    }
    const paths = { '/x': { get: operationWith({ $ref: '#/components/schemas/S39' }) } }
    const { skipped } = await generate(documentOf(paths, { components: { schemas } }))
    expect(skipped['GET /x']).toContain('too large')
  })
})

describe('excessive documents', () => {
  it('with deep nesting are truncated or refused', async () => {
    const nestings: [string, string][] = [
      ['{"type":"array","items":', '}'],
      ['{"type":"object","properties":{"a":', '}}'],
      ['{"type":"object","additionalProperties":', '}'],
      ['{"allOf":[', ']}'],
      ['{"anyOf":[{"type":"null"},', ']}'],
      ['{"oneOf":[{"type":"integer"},', ']}'],
    ]
    for (const [open, close] of nestings) {
      const document = JSON.stringify(documentOf({ '/x': { get: operationWith('SCHEMA') } }))
      const schema = `${open.repeat(50_000)}{"type":"string"}${close.repeat(50_000)}`
      const { plans, skipped } = await generate(document.replace('"SCHEMA"', schema))
      expect([...plans.keys(), ...Object.keys(skipped)]).toHaveLength(1)
    }
  })

  it.each([
    ['YAML', `openapi: 3.1.0\npaths: ${'['.repeat(50_000)}${']'.repeat(50_000)}`],
    [
      '2.0',
      `{"swagger":"2.0","definitions":{"A":${'{"items":'.repeat(50_000)}1${'}'.repeat(50_000)}}}`,
    ],
  ])('with deep nesting as %s are refused', async (_, document) => {
    await expect(parseDocument(document)).rejects.toThrow(DocumentError)
  })

  it('as YAML with multiplying aliases are refused', async () => {
    const levels = Array.from({ length: 12 }, (_, at) =>
      at === 0
        ? 'l0: &l0 [x,x,x,x,x,x,x,x,x]'
        : `l${at}: &l${at} [${Array(9).fill(`*l${at - 1}`)}]`,
    )
    await expect(parseDocument(`openapi: 3.1.0\n${levels.join('\n')}`)).rejects.toThrow(
      /neither JSON nor YAML: Excessive alias count/,
    )
  })

  it('as YAML that contains itself are read as far as possible', async () => {
    const yaml = `openapi: 3.1.0
paths:
  /x:
    get:
      responses:
        200:
          content:
            application/json:
              schema: &self { type: object, properties: { a: { type: string }, self: *self } }
`
    const { plans, skipped } = await generate(yaml).catch((error: unknown) => {
      expect(error).toBeInstanceOf(DocumentError)
      return { plans: new Map(), skipped: { refused: '' } }
    })
    expect([...plans.keys(), ...Object.keys(skipped)]).toHaveLength(1)
  })

  it('with long lists behind many references are refused', async () => {
    const Long = { enum: Array.from({ length: 50_000 }, (_, at) => `v${at}`) }
    const $ref = '#/components/schemas/Long'
    const properties = Object.fromEntries(
      Array.from({ length: 1000 }, (_, at) => [`p${at}`, { $ref }]),
    )
    const paths = { '/x': { get: operationWith({ type: 'object', properties }) } }
    const { skipped } = await generate(documentOf(paths, { components: { schemas: { Long } } }))
    expect(skipped['GET /x']).toContain('too large')
  })

  it('as YAML run nothing and pollute nothing', async () => {
    const yaml = [
      'openapi: 3.1.0',
      '__proto__: { polluted: true }',
      'x: !!js/function "function () { globalThis.pwned = 1 }"',
      'paths: { /x: { get: { responses: {} } } }',
    ]
    expect((await generate(yaml.join('\n'))).plans.size).toBe(1)
    expect([marks.pwned, ({} as { polluted?: boolean }).polluted]).toEqual([undefined, undefined])
  })

  it('with wrong types are read as far as possible', async () => {
    const odd = [
      null,
      1,
      'x',
      [],
      [null],
      {},
      { type: 7 },
      { type: [] },
      { properties: [] },
      { items: 3 },
    ]
    for (const value of odd) {
      const paths = {
        '/a': value,
        '/b': { get: value, post: { parameters: value, requestBody: value, responses: value } },
        '/c': {
          get: { ...operationWith(value), parameters: [value], tags: value, security: value },
        },
        '/d': { put: operationWith({ type: 'object', properties: { a: value }, required: value }) },
        '/e': { get: operationWith({ allOf: value, oneOf: value, enum: value, const: value }) },
        '/f': { get: operationWith({ type: 'string', minLength: value, maxLength: value }) },
      }
      const document = documentOf(paths, { components: value, servers: value, info: value })
      await load(await generate(document))
    }
  })
})
