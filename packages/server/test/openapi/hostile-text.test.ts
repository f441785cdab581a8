/** Texts and names of hostile documents: no code injection, path traversal or prototype pollution. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { commentText, literal, plainText } from '../../src/openapi/literals.ts'
import { callTool } from '../support/tools.ts'
import { documentOf, generate, load, testOf } from './generated.ts'

const signedIn = { signedInAs: { sub: 'ada' } }
const text = { type: 'string' }
const marks = globalThis as { pwned?: unknown }

/** Each would set `globalThis.pwned` if it were run as code where it is inserted. */
const PAYLOADS = [
  "'); globalThis.pwned = 1; ('",
  '"); globalThis.pwned = 1; ("',
  '*/ globalThis.pwned = 1 /*',
  '`$\x7bglobalThis.pwned = 1}`',
  '$\x7bglobalThis.pwned = 1}',
  'x\n globalThis.pwned = 1 //',
  'x\r globalThis.pwned = 1 //',
  'x\u2028 globalThis.pwned = 1 //',
  'x\u2029 globalThis.pwned = 1 //',
  "\\'); globalThis.pwned = 1; (\\'",
  "\\\\'); globalThis.pwned = 1; //",
  '</script><!-- globalThis.pwned = 1 -->',
  '\u202e globalThis.pwned = 1 \u2066',
  'a\ud800b\udfff',
  '\0\u0007\u001b[2J',
  '}), globalThis.pwned = 1, z.object({',
]

/** The text in every place where a document has one. */
function everywhere(payload: string): object {
  const schema = {
    title: payload,
    description: payload,
    type: 'object',
    required: [payload],
    properties: {
      [payload]: { ...text, description: payload, default: payload, example: payload },
      kind: { enum: [payload, 'other'], description: payload },
      pattern: { ...text, pattern: payload, format: payload },
      constant: { const: payload },
      [`email_${payload}`]: text,
      free: { type: 'object', description: payload },
    },
  }
  const parameter = (place: string) => ({
    name: `${payload} ${place}`,
    in: place,
    description: payload,
    schema: { ...text, default: payload, example: payload },
  })
  return documentOf(
    {
      '/x/{id}': {
        post: {
          operationId: `a${payload}`,
          summary: payload,
          description: payload,
          tags: [payload],
          parameters: [parameter('query'), parameter('header'), parameter('cookie')],
          security: [{ oauth: [payload] }],
          requestBody: { content: { 'application/json': { schema } } },
          responses: {
            200: { description: payload, content: { 'application/json': { schema } } },
            409: { description: payload },
          },
        },
      },
      [`/y/${payload}`]: { get: { responses: {} } },
    },
    { components: { securitySchemes: { oauth: { type: 'oauth2' } } }, servers: [{ url: payload }] },
  )
}

describe('text of a document', () => {
  it.each(PAYLOADS)('is never code: %j', async (payload) => {
    const generated = await generate(everywhere(payload))
    const [name = ''] = [...generated.plans.keys()]
    const tool = (await load(generated))(name)
    expect(tool.description).toBe(plainText(payload, 400))
    const input = { id: '1', [payload]: payload, kind: payload }
    await callTool(tool, input, { ...signedIn, upstream: { 'POST /x/{id}': {} } })
    expect(marks.pwned).toBeUndefined()
    const sources = [...Object.values(generated.code), testOf(generated, name)]
    for (const source of sources) {
      expect(source).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      const withoutComments = source.replaceAll(/\/\/.*|\/\*\*.*\*\//g, '')
      expect(withoutComments).not.toContain('$\x7b')
      expect(source.isWellFormed()).toBe(true)
    }
  })

  it('of any kind is the same text as a literal, and a single line as a comment', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (value) => {
        // biome-ignore lint/security/noGlobalEval: whether it is one literal and nothing else
        expect(globalThis.eval(`(${literal(value)})`)).toBe(value)
        expect(commentText(value)).not.toMatch(/\*\/|[\r\n\u2028\u2029]/)
      }),
      { numRuns: 2000 },
    )
  })

  it.each(['*/*/', '**//', '*\u200b/', '*\n/'])('ends no comment: %j', (value) => {
    expect(commentText(value)).not.toContain('*/')
  })
})

describe('names', () => {
  it.each([
    '../../../etc/passwd',
    '..\\..\\x',
    '/etc/passwd',
    'C:\\x',
    '.env',
    'a/b',
    'CON',
    'login',
    'index.test',
    '日本',
    '',
    '-',
    '__proto__',
    'x'.repeat(500),
  ])('stay in the folder: %j', async (operationId) => {
    const { plans } = await generate(documentOf({ '/x': { get: { operationId, responses: {} } } }))
    const [name = ''] = [...plans.keys()]
    expect(name).toMatch(/^[a-z][a-z0-9_]{0,63}$/)
    expect(['con', 'login']).not.toContain(name)
  })

  it('that collide stay distinct, independent of the selection', async () => {
    const ids = ['getUser', 'get_user', 'get-user', 'Get User']
    const paths = Object.fromEntries(
      ids.map((operationId, at) => [`/u${at}`, { get: { operationId, responses: {} } }]),
    )
    const { plans } = await generate(documentOf(paths))
    expect([...plans.keys()]).toEqual(['get_user', 'get_u1', 'get_u2', 'get_u3'])
  })

  it('of 65 characters and more stay distinct in their first 64', async () => {
    const paths = Object.fromEntries(
      ['a', 'b'].map((end) => [
        `/${end}`,
        { get: { operationId: 'x'.repeat(80) + end, responses: {} } },
      ]),
    )
    expect((await generate(documentOf(paths))).plans.size).toBe(2)
  })

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then'])(
    'of prototypes are not fields: %s',
    async (name) => {
      const json = `{ "openapi": "3.1.0", "info": {}, "paths": { "/x": { "post": {
        "operationId": "probe",
        "parameters": [{ "name": "${name}", "in": "query", "schema": { "type": "string" } }],
        "requestBody": { "content": { "application/json": { "schema": { "type": "object",
          "properties": { "a": { "type": "string" }, "${name}": { "type": "string" } } } } } },
        "responses": { "200": { "description": "", "content": { "application/json": { "schema": {
          "type": "object", "properties": { "a": { "type": "string" },
            "${name}": { "type": "object", "properties": { "polluted": { "type": "string" } } } } } } } } }
      } } } }`
      const generated = await generate(json)
      const tool = (await load(generated))('probe')
      const upstream = {
        'POST /x': () => JSON.parse(`{ "a": "x", "${name}": { "polluted": "y" } }`),
      }
      const result = await callTool(tool, { a: 'b' }, { ...signedIn, upstream })
      expect(result.structuredContent).toEqual({ a: 'x' })
      expect(result.requests[0]?.body).toEqual({ a: 'b' })
      expect(Object.keys(Object.prototype)).toEqual([])
      expect(generated.code.probe).toContain(`left out: ${name}`)
    },
  )

  it('of prototypes in a path skip the operation', async () => {
    const { skipped } = await generate(
      documentOf({ '/x/{constructor}': { get: { responses: {} } } }),
    )
    expect(skipped['GET /x/{constructor}']).toBe('a parameter is called "constructor"')
  })
})
