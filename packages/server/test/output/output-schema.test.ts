/** Output schemas: closed ones only, and their form for clients. */

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { masked } from '../../src/output/mask.ts'
import { compileOutputSchema } from '../../src/output/output-schema.ts'

const compile = (field: z.ZodType) => compileOutputSchema(z.object({ field }))

describe('an output is refused if it permits undeclared fields', () => {
  it.each([
    ['z.any()', z.any()],
    ['z.unknown()', z.unknown()],
    ['z.custom()', z.custom()],
    ['z.json()', z.json()],
    ['a loose object', z.looseObject({ a: z.string() })],
    ['an object with a catchall', z.object({}).catchall(z.string())],
    ['an array of any', z.array(z.any())],
    ['a record of any', z.record(z.string(), z.any())],
    ['a tuple with any rest', z.tuple([z.string()]).rest(z.any())],
    ['a union with any', z.union([z.string(), z.any()])],
    ['an optional any', z.any().optional()],
    ['a lazy any', z.lazy(() => z.any())],
    ['an intersection with a loose object', z.object({}).and(z.looseObject({}))],
    ['a loose object deep inside', z.object({ a: z.array(z.object({ b: z.looseObject({}) })) })],
    ['a transform, whose result is unknown', z.string().transform((text) => ({ text }))],
  ])('%s', (_what, field) => {
    expect(() => compile(field)).toThrow(/open at|cannot be represented/)
  })

  it('at its root', () => {
    expect(() => compileOutputSchema(z.looseObject({}))).toThrow('output is open')
  })

  it('with its location', () => {
    const deep = z.object({ list: z.array(z.looseObject({})) })
    expect(() => compile(deep)).toThrow('properties.field.properties.list.items')
  })
})

describe('an output is accepted', () => {
  interface Tree {
    readonly name: string
    readonly children: readonly Tree[]
  }
  const tree: z.ZodType<Tree> = z.lazy(() =>
    z.object({ name: z.string(), children: z.array(tree) }),
  )

  it.each([
    ['that is strict', z.strictObject({ a: z.string() })],
    ['with a record of texts', z.record(z.string(), z.string())],
    [
      'with a record of lists of records',
      z.record(z.string(), z.array(z.record(z.string(), z.number()))),
    ],
    ['that nests itself in declared fields', tree],
    ['that is preprocessed', z.preprocess(String, z.string())],
  ])('%s', (_what, field) => {
    expect(() => compile(field)).not.toThrow()
  })
})

describe('the JSON Schema of a masked field', () => {
  it('has no format, which the masked text does not match', () => {
    const iban = masked(
      z
        .string()
        .regex(/^[A-Z]{2}\d+$/)
        .min(15)
        .max(34)
        .startsWith('GB'),
      {},
    )
    const { jsonSchema } = compile(iban)
    expect(jsonSchema).toMatchObject({ properties: { field: { type: 'string' } } })
    expect(JSON.stringify(jsonSchema)).not.toMatch(/pattern|minLength|maxLength|allOf/)
  })

  it('keeps its description', () => {
    const { jsonSchema } = compile(masked(z.string(), {}).describe('The account.'))
    expect(jsonSchema).toMatchObject({ properties: { field: { description: 'The account.' } } })
  })

  it('matches the parsed value', () => {
    const { parse } = compile(masked(z.string().includes('@'), { left: 1 }))
    expect(parse({ field: 'ada@example.com' })).toEqual({ field: 'a**************' })
  })
})
