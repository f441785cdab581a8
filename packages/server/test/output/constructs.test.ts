/** Outputs of every zod construct: masked, and without undeclared fields. */

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineTool, masked } from '../../src/engine/index.ts'
import { callTool, expectNoLeak } from '../support/tools.ts'

const SECRET = 'NL91ABNA0417164300'
const MASKED = '****************00'
const UNDECLARED = 'undeclared-value'
const secret = masked(z.string(), { right: 2 })

/** Runs a tool whose output has one field, with the value from the upstream. */
function answer(field: z.ZodType, value: unknown) {
  const tool = defineTool({
    name: 'probe',
    description: 'Answers.',
    input: z.object({}),
    output: z.object({ field }),
    run: async ({ upstream }) => ({ field: await upstream.get('/value') }),
  })
  return callTool(tool, {}, { upstream: { 'GET /value': () => value } })
}

describe('a mask applies', () => {
  it.each<[string, z.ZodType, unknown, unknown]>([
    ['by itself', secret, SECRET, MASKED],
    ['in an optional field', secret.optional(), SECRET, MASKED],
    ['in a nullable field', secret.nullable(), SECRET, MASKED],
    ['in a nullish field', secret.nullish(), SECRET, MASKED],
    ['in a field with a default', secret.default('none'), SECRET, MASKED],
    ['in a field with a prefault', secret.prefault(SECRET), undefined, MASKED],
    ['in a field with a fallback', secret.catch('none'), SECRET, MASKED],
    ['in a readonly field', secret.readonly(), SECRET, MASKED],
    ['under a description', secret.describe('Secret.'), SECRET, MASKED],
    ['under further checks', secret.max(40), SECRET, MASKED],
    ['before a pipe', secret.pipe(z.string()), SECRET, MASKED],
    ['after a pipe', z.string().pipe(secret), SECRET, MASKED],
    ['after preprocessing', z.preprocess(String, secret), SECRET, MASKED],
    ['in an array', z.array(secret), [SECRET, SECRET], [MASKED, MASKED]],
    ['in an array of arrays', z.array(z.array(secret)), [[SECRET]], [[MASKED]]],
    ['in a tuple', z.tuple([z.number(), secret]), [1, SECRET], [1, MASKED]],
    ['in the rest of a tuple', z.tuple([]).rest(secret), [SECRET], [MASKED]],
    ['in a record', z.record(z.string(), secret), { a: SECRET }, { a: MASKED }],
    ['in a union', z.union([z.number(), secret]), SECRET, MASKED],
    ['in an object', z.object({ a: secret }), { a: SECRET }, { a: MASKED }],
    ['in a lazy schema', z.lazy(() => secret), SECRET, MASKED],
    [
      'in a discriminated union',
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('a'), a: secret }),
        z.object({ kind: z.literal('b') }),
      ]),
      { kind: 'a', a: SECRET },
      { kind: 'a', a: MASKED },
    ],
    [
      'in an intersection',
      z.object({ a: secret }).and(z.object({ b: secret })),
      { a: SECRET, b: SECRET },
      { a: MASKED, b: MASKED },
    ],
  ])('%s', async (_where, field, given, shown) => {
    const result = await answer(field, given)
    expect(result.structuredContent).toEqual({ field: shown })
    expectNoLeak(result, [SECRET])
  })

  it('not to a default', async () => {
    const result = await answer(secret.default('unknown'), undefined)
    expect(result.structuredContent).toEqual({ field: 'unknown' })
  })
})

describe('an undeclared field is not sent', () => {
  const extra = { a: 1, extra: UNDECLARED }

  it.each<[string, z.ZodType, unknown]>([
    ['an object', z.object({ a: z.number() }), extra],
    ['an object in an object', z.object({ b: z.object({ a: z.number() }) }), { b: extra, extra }],
    ['an array', z.array(z.object({ a: z.number() })), [extra, extra]],
    ['a tuple', z.tuple([z.object({ a: z.number() })]), [extra]],
    ['a record', z.record(z.string(), z.object({ a: z.number() })), { x: extra }],
    ['a union', z.union([z.string(), z.object({ a: z.number() })]), extra],
    ['an intersection', z.object({ a: z.number() }).and(z.object({})), extra],
    ['an optional object', z.object({ a: z.number() }).optional(), extra],
  ])('from %s', async (_where, field, given) => {
    const result = await answer(field, given)
    expect(result.isError).toBe(false)
    expectNoLeak(result, [UNDECLARED])
  })

  it('from a strict object, whose result is refused', async () => {
    const result = await answer(z.strictObject({ a: z.number() }), extra)
    expect(result.code).toBe('invalid_output')
    expectNoLeak(result, [UNDECLARED])
  })
})
