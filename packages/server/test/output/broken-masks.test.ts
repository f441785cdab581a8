/** Masks that cannot be enforced are refused at start, by tool and field. */

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { compileTool } from '../../src/engine/compile-tool.ts'
import { defineTool, masked } from '../../src/engine/index.ts'

const secret = masked(z.string(), { right: 2 })
const long = masked(z.string().min(30))

const compile = (field: z.ZodType, side: 'input' | 'output' = 'output') =>
  compileTool(
    defineTool({
      name: 'pay',
      description: 'Pays.',
      input: z.object(side === 'input' ? { deep: z.object({ field }) } : {}),
      output: z.object(side === 'output' ? { deep: z.object({ field }) } : {}),
      run: async () => ({}) as never,
    }),
  )

const BROKEN: readonly (readonly [string, z.ZodType])[] = [
  ['a union with an unmasked text', z.union([secret, z.string()])],
  ['the other way round', z.union([z.string(), secret])],
  ['by `or`', long.or(z.string())],
  ['with a format', z.union([long, z.email()])],
  ['with a template', z.union([long, z.templateLiteral(['a', z.string()])])],
  ['in an optional union', z.union([long, z.string()]).optional()],
  ['with an optional member', z.union([long, z.string().optional()])],
  ['with an optional mask', z.union([long.optional(), z.string()])],
  ['with a nullable member', z.union([long.nullable(), z.string().nullable()])],
  ['with a default', z.union([long, z.string().default('a')])],
  ['with a prefault', z.union([long, z.string().prefault('a')])],
  ['with a fallback', z.union([long, z.string().catch('a')])],
  ['with a readonly member', z.union([long, z.string().readonly()])],
  ['with a lazy member', z.union([z.lazy(() => long), z.lazy(() => z.string())])],
  ['with a piped member', z.union([long, z.string().pipe(z.string())])],
  ['with a piped mask', z.union([z.string().pipe(long), z.string()])],
  ['with an intersection', z.union([z.intersection(long, z.string()), z.string()])],
  ['a union in a union', z.union([z.number(), z.union([long, z.string()])])],
  ['unions of a union', z.union([z.union([long, z.number()]), z.union([z.null(), z.string()])])],
  ['in a list', z.array(z.union([long, z.string()]))],
  ['in a record', z.record(z.string(), z.union([long, z.string()]))],
  ['in a tuple', z.tuple([z.union([long, z.string()])])],
  ['lists', z.union([z.array(long), z.array(z.string())])],
  ['a tuple and a list', z.union([z.tuple([long]), z.array(z.string())])],
  ['records', z.union([z.record(z.string(), long), z.record(z.string(), z.string())])],
  ['objects', z.union([z.object({ a: long, b: z.number() }), z.object({ a: z.string() })])],
  ['a record and an object', z.union([z.object({ a: long }), z.record(z.string(), z.string())])],
  ['a record keyed by a masked text', z.record(secret, z.number())],
  ['a record keyed by a wrapped one', z.record(z.union([secret, z.literal('a')]), z.number())],
  ['a map keyed by a masked text', z.map(secret, z.number())],
  ['a template around a masked text', z.templateLiteral(['id ', secret])],
]

describe('refuses a mask that cannot be enforced, in the input as well:', () => {
  it.each(BROKEN)('%s', (_what, field) => {
    expect(() => compile(field)).toThrow('tool "pay", output field deep.field')
    expect(() => compile(field, 'input')).toThrow('tool "pay", input field deep.field')
  })

  it('with the fix', () => {
    expect(() => compile(z.union([secret, z.string()]))).toThrow('mask all of them')
    expect(() => compile(z.record(secret, z.number()))).toThrow('keys leave as they are')
  })

  it('even in a recursive schema', () => {
    const node: z.ZodType = z.lazy(() =>
      z.object({ next: node.optional(), text: z.union([long, z.string()]) }),
    )
    expect(() => compile(node)).toThrow('field deep.field.text')
  })
})

describe('accepts an enforceable mask:', () => {
  const node: z.ZodType = z.object({
    text: secret,
    get children() {
      return z.array(z.union([node, z.number()])).optional()
    },
  })

  it.each<[string, z.ZodType]>([
    ['a union of masked texts', z.union([secret, long])],
    ['with numbers and null', z.union([secret, z.number(), z.null()])],
    ['with a literal', z.union([z.literal('none'), secret])],
    ['with an enum', z.union([z.enum(['a', 'b']), secret])],
    ['with a list of texts', z.union([secret, z.array(z.string())])],
    ['a list and an object', z.union([z.array(secret), z.object({ a: z.string() })])],
    ['objects with other fields', z.union([z.object({ a: secret }), z.object({ b: z.string() })])],
    [
      'objects with a discriminator',
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('a'), text: secret }),
        z.object({ kind: z.literal('b'), text: z.string() }),
      ]),
    ],
    ['a record of masked texts', z.record(z.string(), secret)],
    ['a recursive schema', node],
  ])('%s', (_what, field) => {
    expect(() => compile(field)).not.toThrow()
  })
})
