/** Lenient arguments: coerced only where the schema is unambiguous. */

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineTool, jsonSchema, masked } from '../../src/engine/index.ts'
import { callTool, expectNoLeak } from '../support/tools.ts'

/** The arguments that a tool with this input gets, or the code of the refusal. */
async function given(
  input: z.ZodObject,
  args: Record<string, unknown>,
  mode: 'strict' | 'lenient' = 'lenient',
) {
  let seen: unknown
  const run = async (context: { readonly input: unknown }) => {
    seen = context.input
    return {}
  }
  const fields = { name: 'a', description: 'A.', input, output: z.object({}) }
  const { code } = await callTool(defineTool({ ...fields, run }), args, { arguments: mode })
  return code ?? seen
}

const Line = z.object({ item: z.string(), count: z.int(), note: z.string().optional() })
const Node = z.object({
  id: z.number(),
  get next() {
    return Node.optional()
  },
})

describe('JSON text is parsed as the declared type', () => {
  it.each([
    [
      'an object',
      z.object({ a: Line }),
      { a: '{"item":"x","count":2}' },
      { a: { item: 'x', count: 2 } },
    ],
    ['a list', z.object({ a: z.array(z.string()) }), { a: '["5"]' }, { a: ['5'] }],
    ['a number', z.object({ a: z.number() }), { a: '2.5' }, { a: 2.5 }],
    ['a whole number', z.object({ a: z.int() }), { a: '-5' }, { a: -5 }],
    ['a boolean', z.object({ a: z.boolean() }), { a: 'false' }, { a: false }],
    ['a literal', z.object({ a: z.literal([1, 2]) }), { a: '2' }, { a: 2 }],
    ['an optional one', z.object({ a: z.number().optional() }), { a: '5' }, { a: 5 }],
    ['one with a default', z.object({ a: z.number().default(1) }), { a: '5' }, { a: 5 }],
    ['one that may be null', z.object({ a: z.number().nullable() }), { a: '5' }, { a: 5 }],
    ['null itself', z.object({ a: z.number().nullable() }), { a: 'null' }, 'invalid_arguments'],
    [
      'inside an object',
      z.object({ a: Line }),
      { a: { item: 'x', count: '2' } },
      { a: { item: 'x', count: 2 } },
    ],
    [
      'inside JSON text',
      z.object({ a: Line }),
      { a: '{"item":"7","count":"2"}' },
      { a: { item: '7', count: 2 } },
    ],
    [
      'in a list',
      z.object({ a: z.array(Line) }),
      { a: ['{"item":"x","count":1}'] },
      { a: [{ item: 'x', count: 1 }] },
    ],
    [
      'in a tuple',
      z.object({ a: z.tuple([z.string(), z.number()]) }),
      { a: ['1', '2'] },
      { a: ['1', 2] },
    ],
    [
      'in a record',
      z.object({ a: z.record(z.string(), z.number()) }),
      { a: { x: '2' } },
      { a: { x: 2 } },
    ],
    [
      'in a recursive one',
      Node,
      { id: 1, next: '{"id":"2","next":{"id":"3"}}' },
      { id: 1, next: { id: 2, next: { id: 3 } } },
    ],
    [
      'of a named schema',
      z.object({ a: Line.meta({ id: 'LenientLine' }) }),
      { a: '{"item":"x","count":1}' },
      { a: { item: 'x', count: 1 } },
    ],
    [
      'of both sides',
      z.object({ a: z.intersection(z.object({ b: z.number() }), z.object({ c: z.boolean() })) }),
      { a: { b: '1', c: 'true' } },
      { a: { b: 1, c: true } },
    ],
  ])('%s', async (_what, input, args, expected) => {
    expect(await given(input, args)).toEqual(expected)
    expect(await given(input, args, 'strict')).toBe('invalid_arguments')
  })

  it('for an input in JSON Schema', async () => {
    const input = jsonSchema({
      type: 'object',
      properties: { a: { $ref: '#/$defs/list' }, b: { type: ['boolean', 'null'] } },
      required: ['a'],
      $defs: { list: { type: 'array', items: { type: 'integer' } } },
    })
    expect(await given(input, { a: '[1,"2"]', b: 'true' })).toEqual({ a: [1, 2], b: true })
  })

  it('in the matching member of a union', async () => {
    const Event = z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('text'), value: z.string(), count: z.number() }),
      z.object({ kind: z.literal('number'), value: z.number() }),
    ])
    const input = z.object({ event: Event })
    const text = { kind: 'text', value: '5', count: '5' }
    expect(await given(input, { event: text })).toEqual({ event: { ...text, count: 5 } })
    const number = { kind: 'number', value: '5' }
    expect(await given(input, { event: JSON.stringify(number) })).toEqual({
      event: { kind: 'number', value: 5 },
    })
  })
})

describe('null counts as missing', () => {
  const input = z.object({
    a: z.string().optional(),
    b: z.number().default(3),
    c: z.object({ d: z.string().optional() }).optional(),
    e: z.string().nullish(),
  })

  it('if a field is optional', async () => {
    const args = { a: null, b: null, c: { d: null }, e: null }
    expect(await given(input, args)).toEqual({ b: 3, c: {}, e: null })
  })

  it('but not if it is required, or in a list', async () => {
    expect(await given(z.object({ a: z.string() }), { a: null })).toBe('invalid_arguments')
    const list = z.object({ a: z.array(z.string()) })
    expect(await given(list, { a: [null] })).toBe('invalid_arguments')
  })
})

describe('no other value is coerced', () => {
  it('a text stays a text, even if another argument is rewritten', async () => {
    const input = z.object({
      text: z.string(),
      either: z.union([z.number(), z.string()]),
      any: z.any(),
      count: z.number(),
    })
    const args = { text: '5', either: '{"a":1}', any: 'true', count: '5' }
    expect(await given(input, args)).toEqual({ ...args, count: 5 })
  })

  it.each([
    ['a number that a double cannot hold', z.number(), '12345678901234567890'],
    ['a decimal with more digits than a double has', z.number(), '0.12345678901234567'],
    ['more than the largest number', z.number(), '1e400'],
    ['a fraction for a whole number', z.int(), '1.5'],
    ['words', z.boolean(), 'yes'],
    ['words in capitals', z.boolean(), 'True'],
    ['a number with a leading zero', z.number(), '007'],
    ['nothing', z.number(), ''],
    ['a number for a list', z.array(z.number()), '5'],
    ['a list for an object', z.object({}), '[]'],
    ['a list for a number', z.number(), '[5]'],
    ['a number for a boolean', z.boolean(), '1'],
    ['JSON nested deeper than messages may be', z.array(z.any()), '['.repeat(65) + ']'.repeat(65)],
    ['JSON of more values than that', z.array(z.number()), JSON.stringify(Array(10_001).fill(1))],
    ['a number out of range', z.number().max(3), '5'],
  ])('%s', async (_what, field, value) => {
    expect(await given(z.object({ field }), { field: value })).toBe('invalid_arguments')
  })

  it('a matching member of a union keeps its strings', async () => {
    const input = z.object({
      a: z.union([
        z.object({ n: z.number(), m: z.number() }),
        z.object({ n: z.string(), m: z.array(z.number()) }),
      ]),
    })
    expect(await given(input, { a: { n: '5', m: '[1]' } })).toEqual({ a: { n: '5', m: [1] } })
  })

  it('a field named __proto__ changes no prototype', async () => {
    const input = z.object({ a: z.looseObject({ b: z.number() }) })
    const seen = (await given(input, { a: '{"b":"1","__proto__":{"c":1}}' })) as { a: object }
    expect(Object.getPrototypeOf(seen.a)).toBe(Object.prototype)
  })
})

describe('a refusal', () => {
  it('has the faults of the sent arguments', async () => {
    const tool = defineTool({
      ...{ name: 'a', description: 'A.', output: z.object({}) },
      input: z.object({ a: z.number(), b: z.string().max(2) }),
      run: async () => ({}),
    })
    const lenient = await callTool(tool, { a: '5', b: 'long' })
    const strict = await callTool(tool, { a: '5', b: 'long' }, { arguments: 'strict' })
    expect(lenient.text).toBe(strict.text)
    expect(lenient.text).toContain('at a')
  })

  it('and a result have masked values of JSON text masked', async () => {
    const secret = 'GB33BUKB20201555555555'
    const Card = z.strictObject({ iban: masked(z.string()), count: z.number() })
    const tool = defineTool({
      ...{ name: 'a', description: 'A.', input: z.object({ card: Card }) },
      output: z.object({ said: z.string() }),
      run: async ({ input, log }) => {
        log.info(`it is ${input.card.iban}`)
        return { said: input.card.iban }
      },
    })
    const good = await callTool(tool, { card: JSON.stringify({ iban: secret, count: 1 }) })
    expect(good.structuredContent).toEqual({ said: '*'.repeat(secret.length) })
    expectNoLeak(good, [secret])
    const bad = await callTool(tool, {
      card: JSON.stringify({ iban: secret, count: 'x', [secret]: 1 }),
    })
    expect(bad.code).toBe('invalid_arguments')
    expectNoLeak(bad, [secret])
  })
})
