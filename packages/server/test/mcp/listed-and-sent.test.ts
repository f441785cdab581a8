/**
 * Lists and results agree, for schemas of every kind: the official clients validate results against
 * the listed output schema.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { moduleOf, writeCatalog } from '../engine/catalog.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { connectClient, connectClientV1, ERAS } from '../support/clients.ts'
import { authorizeDirectCaller } from '../support/direct.ts'
import { sendRequest } from '../support/wire.ts'

/** By name: the code of an output schema, and that of valid results. */
const OBJECTS: Readonly<Record<string, readonly [schema: string, ...answers: string[]]>> = {
  empty: ['z.object({})', '{}', '{ more: 1 }'],
  named: ["z.object({ a: z.object({ b: z.string() }).meta({ id: 'Sent' }) })", "{ a: { b: 'x' } }"],
  recursive: [
    'Node',
    "{ text: 'a', kids: [{ text: 'b', kids: [] }] }",
    "{ text: 'a', kids: [{ text: 'b', kids: [{ text: 'c', kids: [] }] }] }",
  ],
  record: ['z.object({ a: z.record(z.string(), z.number()) })', '{ a: {} }', '{ a: { x: 1 } }'],
  record_of_keys: [
    "z.object({ a: z.partialRecord(z.enum(['x', 'y']), z.number()) })",
    '{ a: { x: 1 } }',
  ],
  record_of_patterns: [
    'z.object({ a: z.record(z.string().regex(/^x/i), z.number()) })',
    '{ a: { X1: 1 } }',
  ],
  nullable: [
    'z.object({ a: z.string().nullable(), b: Text.nullish() })',
    '{ a: null }',
    "{ a: 'x', b: null }",
  ],
  defaults: [
    "z.object({ a: z.string().default('x'), b: z.array(z.number()).default([]) })",
    '{}',
    "{ a: 'y' }",
  ],
  caught: ["z.object({ a: z.string().catch('x') })", '{ a: 5 }', '{}'],
  optional: [
    'z.object({ a: z.string().optional(), b: Text.optional() })',
    '{}',
    '{ a: undefined }',
  ],
  dates: [
    'z.object({ a: z.iso.datetime(), b: z.iso.date(), c: z.iso.time(), d: z.iso.datetime({ offset: true }), e: z.iso.datetime({ local: true }), f: z.iso.duration() })',
    "{ a: '2024-02-29T23:59:59.999Z', b: '2024-02-29', c: '12:30', d: '2024-01-01T00:00:00+02:00', e: '2024-01-01T00:00', f: 'P1DT1.5S' }",
    "{ a: '2024-01-01T00:00:00Z', b: '0001-01-01', c: '12:30:01.5', d: '2024-01-01T00:00:00Z', e: '2024-01-01T00:00:00', f: 'P3W' }",
  ],
  formats: [
    'z.object({ a: z.email(), b: z.url(), c: z.uuid(), d: z.ipv4(), e: z.ipv6(), f: z.base64(), g: z.hostname(), h: z.e164(), i: z.guid(), j: z.cidrv4(), k: z.nanoid(), l: z.emoji() })',
    "{ a: 'ada@b-.example.com', b: 'https://example.com/grüße?a=b c', c: '00000000-0000-0000-0000-000000000000', d: '1.2.3.4', e: '::1', f: 'aGk=', g: 'a.example.', h: '+491234567', i: '11111111-2222-9333-0444-555555555555', j: '10.0.0.0/8', k: 'V1StGXR8_Z5jdHi6B-myT', l: '🎉' }",
  ],
  texts: [
    "z.object({ a: z.string().regex(/^abc$/i), b: z.string().regex(/^[\\w-.]+$/), c: z.string().min(2), d: z.string().length(2), e: z.string().startsWith('x').includes('y').endsWith('z'), f: z.email().regex(/x/), g: z.templateLiteral(['v', z.number()]) })",
    "{ a: 'ABC', b: 'a-.b', c: '😀x', d: '😀x', e: 'x\\ny\\nz', f: 'x@example.com', g: 'v1.5' }",
  ],
  numbers: [
    'z.object({ a: z.number().multipleOf(0.01), b: z.int(), c: z.number().positive(), d: z.int32(), e: z.number().multipleOf(5) })',
    '{ a: 0.07, b: -1, c: 0.001, d: 2147483647, e: 15 }',
    '{ a: 1.13, b: 9007199254740991, c: 1e300, d: 0, e: -5 }',
  ],
  tuples: [
    'z.object({ a: z.tuple([z.string(), z.number()]), b: z.tuple([z.string()], z.number()), c: z.tuple([z.string(), z.number().optional()]) })',
    "{ a: ['x', 1], b: ['x', 1, 2], c: ['x'] }",
  ],
  literals: [
    "z.object({ a: z.literal(['x', 5, null]), b: z.enum(['x', 'y']), c: z.null() })",
    '{ a: null, b: "x", c: null }',
  ],
  intersection: [
    'z.object({ a: z.intersection(z.object({ b: z.string() }), Union) })',
    "{ a: { b: 'x', kind: 'b' } }",
  ],
  union: [
    'z.object({ a: z.union([z.string(), z.object({ b: z.number() }), z.array(z.number())]) })',
    "{ a: 'x' }",
    '{ a: { b: 1, more: 2 } }',
    '{ a: [1] }',
  ],
  discriminated: [
    'z.object({ a: Union })',
    "{ a: { kind: 'a', n: 1, more: 2 } }",
    "{ a: { kind: 'b' } }",
  ],
  masked: [
    'z.object({ a: masked(z.email().min(8), { left: 1 }), b: z.array(masked(z.string().regex(/^x/))), c: masked(z.string().length(3)).nullable() })',
    "{ a: 'ada@example.com', b: ['x1'], c: null }",
  ],
  described: [
    "z.object({ a: Text.describe('About.') }).meta({ id: 'SentRoot', title: 'T' })",
    "{ a: { text: 'x' } }",
  ],
  readonly: ['z.object({ a: z.array(z.string()).readonly() }).readonly()', "{ a: ['x'] }"],
  piped: [
    'z.object({ a: z.string().trim().toLowerCase().pipe(z.string().max(3)) })',
    "{ a: ' ABC ' }",
  ],
  root_union: ['Union', "{ kind: 'a', n: 1, more: 2 }", "{ kind: 'b' }"],
  root_plain_union: [
    'z.union([z.object({ a: z.string() }), z.object({ b: z.number() })])',
    "{ a: 'x' }",
    '{ b: 1 }',
  ],
  root_record: ['z.record(z.string(), z.number())', '{}', '{ result: 1 }'],
  root_named_union: ["Union.meta({ id: 'SentUnion' })", "{ kind: 'b' }"],
  root_intersection: [
    'z.intersection(z.object({ b: z.string() }), Union)',
    "{ b: 'x', kind: 'b' }",
  ],
}

const OTHERS: typeof OBJECTS = {
  list: ['z.array(Text)', '[]', "[{ text: 'x', more: 1 }]"],
  list_of_named: ["z.array(Text.meta({ id: 'SentItem' }))", "[{ text: 'x' }]"],
  list_of_recursive: ['z.array(Node)', "[{ text: 'a', kids: [{ text: 'b', kids: [] }] }]"],
  named_list: ["z.array(Text).meta({ id: 'SentList' })", "[{ text: 'x' }]"],
  text: ['z.string()', "'x'", "''"],
  number: ['z.number()', '0', '1.5'],
  boolean: ['z.boolean()', 'false'],
  nothing: ['z.null()', 'null'],
  choice: ["z.enum(['x', 'y'])", "'y'"],
  maybe: ['Text.nullable()', 'null', "{ text: 'x' }"],
  mixed: ['z.union([z.string(), Text, z.array(z.number())])', "'x'", "{ text: 'x' }", '[1]'],
  nullable_union: ['Union.nullable()', 'null', "{ kind: 'b' }"],
  masked_text: ['masked(z.string().min(4), { right: 2 })', "'secret'"],
}

const SCHEMAS = `
  const Text = z.object({ text: z.string() })
  const Node = z.object({ text: z.string(), get kids() { return z.array(Node) } })
  const Union = z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('a'), n: z.number() }), z.object({ kind: z.literal('b') }),
  ])`

const files = Object.entries({ ...OBJECTS, ...OTHERS }).map(([name, [schema, ...answers]]) => [
  `tools/${name}.ts`,
  moduleOf(`${SCHEMAS}
    const answers = [${answers.join(', ')}]
    export default defineTool({ name: '${name}', description: 'Sends.', output: ${schema},
      input: z.object({ index: z.int() }), run: async ({ input }) => answers[input.index] })`),
])

const CASES = Object.entries({ ...OBJECTS, ...OTHERS }).flatMap(([name, [, ...answers]]) =>
  answers.map((_answer, index) => ({ name, index })),
)
const isObject = (name: string) => Object.hasOwn(OBJECTS, name)

let app: TestApp
beforeAll(async () => {
  app = await startApp({ catalogDirectory: writeCatalog(Object.fromEntries(files)) })
})
afterAll(() => app.stop())

/** A client that has listed all tools, and so validates their results. */
async function listing(kind: string) {
  if (kind === 'v1') {
    const client = await connectClientV1(app.url)
    await client.listTools()
    return client
  }
  const { client } = await connectClient(app.url, kind as (typeof ERAS)[number])
  await client.listTools()
  return client
}

/** Compared as JSON: undefined is left out. */
interface Sent {
  readonly structuredContent?: unknown
  readonly isError?: unknown
  readonly content?: unknown
}

describe.each(['v1', ...ERAS])('the official client %s', (kind) => {
  let client: Awaited<ReturnType<typeof listing>>
  beforeAll(async () => {
    client = await listing(kind)
  })
  afterAll(() => client.close())

  test.each(CASES)('accepts the answer of $name: $index', async ({ name, index }) => {
    const result = (await client.callTool({ name, arguments: { index } })) as Sent
    expect(result.isError ?? false, JSON.stringify(result.content)).toBe(false)
    expect(result.structuredContent).toBeDefined()
    if (kind !== '2026-07-28' && !isObject(name)) {
      expect(Object.keys(result.structuredContent as object)).toEqual(['result'])
    }
  })
})

interface Listed {
  readonly name: string
  readonly inputSchema: Readonly<Record<string, unknown>>
  readonly outputSchema: Readonly<Record<string, unknown>>
}

describe.each(ERAS)('in %s', (era) => {
  const list = async () => {
    const { message } = await sendRequest(app.url, era, 'tools/list')
    return (message.result?.tools ?? []) as Listed[]
  }

  test('roots are objects if results are, and others are wrapped for the older era only', async () => {
    for (const { name, outputSchema } of await list()) {
      if (!Object.hasOwn({ ...OBJECTS, ...OTHERS }, name)) continue
      if (isObject(name)) expect(outputSchema, name).toMatchObject({ type: 'object' })
      else if (era === '2026-07-28') expect(outputSchema.type, name).not.toBe('object')
      else
        expect(outputSchema, name).toMatchObject({
          properties: { result: {} },
          required: ['result'],
        })
    }
  })

  test('no pattern is next to a format', async () => {
    const beside = JSON.stringify(await list(), (_key, value: unknown) => {
      if (typeof value !== 'object' || value === null) return value
      expect('format' in value && 'pattern' in value).toBe(false)
      return value
    })
    expect(beside).toContain('"format":"date-time"')
  })
})

test('direct calls have the results of the newer era', async () => {
  const caller = await authorizeDirectCaller(app.url)
  for (const { name, index } of CASES.filter((each) => !isObject(each.name))) {
    const params = { name, arguments: { index } }
    const modern = await sendRequest(app.url, '2026-07-28', 'tools/call', params)
    const { status, body } = await caller.call('tools/call', params)
    expect(status, name).toBe(200)
    expect(body.structuredContent, name).toEqual(modern.message.result?.structuredContent)
  }
})
