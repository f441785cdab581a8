/** Listed inputs, for validators of both dialects of clients. */

import { fromJsonSchema, type StandardSchemaV1Sync } from '@modelcontextprotocol/server'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { listInput } from '../../src/output/input-schema.ts'

const Pair = z.tuple([z.string(), z.number()]).meta({ id: 'ListedPair' })
const INPUT = z.object({
  pair: z.tuple([z.string(), z.number()]),
  maybe: z.tuple([z.string(), z.number().optional()]).optional(),
  rest: z.tuple([z.string()], z.number()).optional(),
  nested: z.array(z.tuple([z.boolean()])).optional(),
  named: z.array(Pair).optional(),
})

const listed = listInput(INPUT)
const { validate } = (fromJsonSchema(listed) as unknown as StandardSchemaV1Sync)['~standard']

it('names no dialect', () => {
  expect(listed).not.toHaveProperty('$schema')
})

it('tuples list their types, which validators of draft 7 and VS Code require', () => {
  const text = { type: 'string' }
  const number = { type: 'number' }
  const pair = { items: { anyOf: [text, number] }, minItems: 2, maxItems: 2 }
  expect(listed.properties).toMatchObject({
    pair,
    maybe: { ...pair, minItems: 1 },
    rest: { items: number, minItems: 1 },
    nested: { items: { items: { anyOf: [{ type: 'boolean' }] } } },
    named: { items: pair },
  })
})

it.each([
  { pair: ['x', 1] },
  { pair: ['x', 1], maybe: ['x'], nested: [[true]], named: [['x', 1]] },
  { pair: ['x', 1], maybe: ['x', 1], rest: ['x', 1, 2] },
  { pair: ['x', 1, 2] },
  { pair: ['x'] },
  { pair: [1, 'x'] },
  { pair: ['x', 1], rest: ['x', 'y'] },
  { pair: ['x', 1], named: [[1, 'x']] },
])('a validator of 2020-12 agrees with the server about %j', (value) => {
  const { issues } = validate(value)
  expect(issues === undefined).toBe(INPUT.safeParse(value).success)
})

it('named parts are inlined: some clients drop tools with references', () => {
  const Inner = z.object({ text: z.string() }).meta({ id: 'InlinedInner', title: 'Inner' })
  const Outer = z.object({ one: Inner, two: Inner.optional() }).meta({ id: 'InlinedOuter' })
  const shown = listInput(z.object({ outer: Outer, again: Outer.describe('Once more.') }))
  expect(JSON.stringify(shown)).not.toMatch(/\$ref|\$defs/)
  const inner = { type: 'object', title: 'Inner', properties: { text: { type: 'string' } } }
  const outer = { properties: { one: inner, two: inner } }
  expect(shown.properties).toMatchObject({
    outer,
    again: { ...outer, description: 'Once more.' },
  })
})

it('recursive parts, and parts that would make the schema long, stay references', () => {
  const Node = z.object({
    get next() {
      return Node.optional()
    },
  })
  const recursive = listInput(z.object({ node: Node.meta({ id: 'KeptNode' }) }))
  expect(JSON.stringify(recursive)).toContain('"$ref"')
  const double = (type: z.ZodType, depth: number): z.ZodType =>
    depth === 0
      ? type
      : double(z.object({ a: type, b: type }).meta({ id: `Doubled${depth}` }), depth - 1)
  const long = listInput(z.object({ all: double(z.string(), 40) }))
  expect(long.$defs).toHaveProperty('Doubled1')
  expect(JSON.stringify(long).length).toBeLessThan(16_384)
})
