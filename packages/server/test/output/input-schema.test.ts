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
  })
  expect(listed.$defs).toMatchObject({ ListedPair: pair })
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
