/** The size of the list of tools as sent to clients, and warnings about it. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { compileTool } from '../../src/engine/compile-tool.ts'
import { discover } from '../../src/engine/discover.ts'
import { defineTool, jsonSchema } from '../../src/engine/index.ts'
import { catalogWarnings, toolSizes } from '../../src/engine/tool-sizes.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { PROTOCOL_CATALOG, sendRequest } from '../support/wire.ts'

function catalogOf(tools: Readonly<Record<string, string>>) {
  const compiled = Object.entries(tools).map(([name, description]) => {
    const fields = { name, description, input: z.object({}), output: z.object({}) }
    return [name, compileTool(defineTool({ ...fields, run: async () => ({}) }))] as const
  })
  return { tools: new Map(compiled) }
}
function warningsFor(input: z.ZodObject) {
  const fields = { name: 'raw', description: 'A.', input, output: z.object({}) }
  const tool = compileTool(defineTool({ ...fields, run: async () => ({}) }))
  return catalogWarnings({ tools: new Map([['raw', tool]]) })
}
const codesOf = (tools: Readonly<Record<string, string>>) =>
  catalogWarnings(catalogOf(tools)).map(({ code }) => code)

describe('the size of a tool', () => {
  let app: TestApp
  beforeAll(async () => {
    app = await startApp({ catalogDirectory: PROTOCOL_CATALOG })
  })
  afterAll(() => app.stop())

  it('is that of its entry in the list', async () => {
    const { message } = await sendRequest(app.url, '2026-07-28', 'tools/list')
    const listed = (message.result?.tools ?? []) as { name: string }[]
    const sizes = toolSizes(await discover(PROTOCOL_CATALOG))
    expect(listed.length).toBeGreaterThan(3)
    for (const tool of listed) {
      expect(sizes.get(tool.name), tool.name).toBe(Buffer.byteLength(JSON.stringify(tool)))
    }
  })
})

describe('a warning', () => {
  it('names tools that known clients refuse', () => {
    const names = ['fine-name_1', 'x'.repeat(64), 'with.dot', 'x'.repeat(65)]
    const [warning, ...more] = catalogWarnings(
      catalogOf(Object.fromEntries(names.map((name) => [name, 'A.']))),
    )
    expect(more).toEqual([])
    expect(warning).toMatchObject({ code: 'tool_name' })
    expect(warning?.message).toMatch(/: with\.dot, x{65}$/)
  })

  it.each([
    [{ anyOf: [{ required: ['a'] }, { required: ['b'] }] }, '"anyOf" at the root'],
    [{ oneOf: [{ required: ['a'] }, { required: ['b'] }] }, '"oneOf" at the root'],
    [{ allOf: [{ required: ['a'] }] }, '"allOf" at the root'],
    [{ not: { required: ['a', 'b'] } }, '"not" at the root'],
    [{ properties: { a: { type: 'array' } } }, 'items" at /properties/a of'],
    [
      { properties: { a: { anyOf: [{ type: 'string' }, { type: 'array' }] } } },
      'items" at /properties/a/anyOf/1 of',
    ],
    [
      { $defs: { items: { type: 'array' } }, properties: { a: { $ref: '#/$defs/items' } } },
      'items" at /$defs/items of',
    ],
    [
      { $defs: { a: { type: 'string' } }, properties: { a: { $ref: '#/$defs/a' } } },
      'a reference ("$ref") of',
    ],
  ])('names a tool whose input known clients refuse: %j', (schema, reason) => {
    const [warning, ...more] = warningsFor(jsonSchema({ type: 'object', ...schema }))
    expect(more).toEqual([])
    expect(warning).toMatchObject({ code: 'tool_schema' })
    expect(warning?.message).toContain(`"raw", or all tools, for `)
    expect(warning?.message).toContain(reason)
  })

  it.each([
    ['a union in a field', z.object({ a: z.union([z.string(), z.number()]) })],
    ['a tuple', z.object({ a: z.tuple([z.string(), z.number()]) })],
    ['a nested list of tuples', z.object({ a: z.array(z.tuple([z.string()])).optional() })],
    ['a condition at the root', jsonSchema({ type: 'object', if: {}, else: { required: ['a'] } })],
    ['an example that is an array', jsonSchema({ type: 'object', examples: [{ type: 'array' }] })],
    [
      'a field named items',
      jsonSchema({ type: 'object', properties: { items: { type: 'array', items: {} } } }),
    ],
  ])('is not given for %s', (_what, input) => {
    expect(warningsFor(input)).toEqual([])
  })

  it('is reported for an input schema that claude.ai drops, with its size', () => {
    const inputOf = (length: number) => z.object({ a: z.string().describe('x'.repeat(length)) })
    const codes = (length: number) => warningsFor(inputOf(length)).map(({ code }) => code)
    expect(codes(15_000)).toEqual(['tool_large'])
    expect(codes(16_384)).toEqual(['tool_schema_large', 'tool_large'])
    const [warning] = warningsFor(inputOf(20_000))
    expect(warning?.message).toMatch(/tool "raw": its input schema has 20\d\d\d bytes/)
  })

  it('is reported for a large tool, and for a large list', () => {
    expect(codesOf({ small: 'A.' })).toEqual([])
    expect(codesOf({ large: 'x'.repeat(10_000) })).toEqual(['tool_large'])
    const many = Array.from({ length: 110 }, (_, index) => [`tool_${index}`, 'x'.repeat(1000)])
    expect(codesOf(Object.fromEntries(many))).toEqual(['tool_list_large'])
  })
})
