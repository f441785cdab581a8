/** Schemas with a name (`.meta({ id })`): listed as objects, and called, in all official clients. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { moduleOf, writeCatalog } from '../engine/catalog.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { connectClient, connectClientV1, ERAS } from '../support/clients.ts'
import { sendRequest } from '../support/wire.ts'

const TOOLS: Readonly<Record<string, string>> = {
  root: `
    const Item = z.object({ text: z.string() }).meta({ id: 'RootItem', title: 'An item' })
    const input = Item, output = Item, run = async ({ input }) => input`,
  nested: `
    const Item = z.object({ text: z.string() }).meta({ id: 'NestedItem' })
    const input = z.object({ item: Item, other: Item.optional() })
    const output = z.object({ item: Item, other: Item.optional() })
    const run = async ({ input }) => input`,
  nested_in_root: `
    const Text = z.string().meta({ id: 'NamedText' })
    const input = z.object({ text: Text, again: Text.optional() }).meta({ id: 'InRoot' })
    const output = input, run = async ({ input }) => input`,
  same_id: `
    const input = z.object({ text: z.string() }).meta({ id: 'SameId' })
    const output = z.object({ text: z.string(), more: z.number() }).meta({ id: 'SameId' })
    const run = async ({ input }) => ({ ...input, more: 1 })`,
  recursive: `
    const Node = z.object({ text: z.string(), get next() { return Node.optional() } })
      .meta({ id: 'RecursiveNode' })
    const input = Node, output = Node, run = async ({ input }) => input`,
  recursive_nameless: `
    const Node = z.object({ text: z.string(), get next() { return z.array(Node).optional() } })
    const input = Node, output = Node, run = async ({ input }) => input`,
  lazy: `
    const Leaf = z.lazy(() => z.object({ text: z.string() }).meta({ id: 'LazyLeaf' }))
    const input = z.object({ text: z.string(), leaf: Leaf.optional() }).meta({ id: 'LazyRoot' })
    const output = input, run = async ({ input }) => input`,
  wrapped: `
    const Item = z.object({ text: z.string() }).meta({ id: 'WrappedItem' })
    const input = z.object({ text: z.string(), a: Item.optional(), b: Item.nullish(),
      c: Item.default({ text: 'c' }), d: Item.readonly().optional() })
    const output = input, run = async ({ input }) => input`,
  odd_name: `
    const Node = z.object({ text: z.string(), get next() { return Node.optional() } })
      .meta({ id: 'odd/name~1 %' })
    const input = Node, output = Node, run = async ({ input }) => input`,
  described: `
    const Item = z.object({ text: z.string() }).meta({ id: 'DescribedItem' })
    const input = Item.describe('About it.'), output = Item.describe('About it.')
    const run = async ({ input }) => input`,
  extended: `
    const Base = z.object({ text: z.string() }).meta({ id: 'BaseItem' })
    const input = Base.extend({ more: z.number().optional() }), output = input
    const run = async ({ input }) => input`,
}

const files = Object.entries(TOOLS).map(([name, code]) => [
  `tools/${name}.ts`,
  moduleOf(`${code}
    export default defineTool({ name: '${name}', description: 'Says it again.', input, output, run })`),
])

const PROMPT = moduleOf(`
  const Asked = z.object({
    topic: completable(z.string(), () => ['fees']),
    tone: z.string().optional().describe('How.'),
  }).meta({ id: 'Asked' })
  export default definePrompt({
    name: 'explain', description: 'Explains.', arguments: Asked,
    render: ({ topic }) => 'Explain ' + topic,
  })`)

let app: TestApp
beforeAll(async () => {
  const catalogDirectory = writeCatalog({
    ...Object.fromEntries(files),
    'prompts/explain.ts': PROMPT,
  })
  app = await startApp({ catalogDirectory })
})
afterAll(() => app.stop())

const given = { text: 'hello' }
const inputOf = (name: string) => (name === 'nested' ? { item: given } : given)

interface Listed {
  readonly name: string
  readonly inputSchema: Readonly<Record<string, unknown>>
  readonly outputSchema?: Readonly<Record<string, unknown>>
}

describe.each(ERAS)('in %s', (era) => {
  test('each root is an object, with its properties', async () => {
    const { message } = await sendRequest(app.url, era, 'tools/list')
    const tools = message.result?.tools as Listed[]
    expect(tools.map(({ name }) => name)).toEqual(Object.keys(TOOLS).sort())
    for (const { inputSchema, outputSchema } of tools) {
      for (const schema of [inputSchema, outputSchema]) {
        expect(schema).toMatchObject({ type: 'object', properties: expect.any(Object) })
        expect(schema).not.toHaveProperty('$ref')
        expect(schema).not.toHaveProperty('id')
        // 2020-12 is the default; clients without that dialect refuse a schema that names it.
        expect(schema).not.toHaveProperty('$schema')
      }
    }
    expect(tools.find(({ name }) => name === 'root')?.inputSchema.title).toBe('An item')
  })

  test.each(Object.keys(TOOLS))('the official client lists and calls %s', async (name) => {
    const { client } = await connectClient(app.url, era)
    const { tools } = await client.listTools()
    expect(tools.map((tool) => tool.name)).toContain(name)
    const result = await client.callTool({ name, arguments: inputOf(name) })
    expect(result).toMatchObject({ structuredContent: inputOf(name) })
    expect(result.isError ?? false).toBe(false)
    await client.close()
  })

  test('a recursive root accepts values of any depth', async () => {
    const { client } = await connectClient(app.url, era)
    await client.listTools()
    for (const name of ['recursive', 'odd_name']) {
      const deep = { text: 'a', next: { text: 'b', next: { text: 'c' } } }
      const result = await client.callTool({ name, arguments: deep })
      expect(result.structuredContent).toEqual(deep)
      const bad = { text: 'a', next: { text: 'b', next: { text: 3 } } }
      expect(await client.callTool({ name, arguments: bad })).toMatchObject({ isError: true })
    }
    await client.close()
  })

  test('a prompt with named arguments lists, completes and accepts them', async () => {
    const { client } = await connectClient(app.url, era)
    const { prompts } = await client.listPrompts()
    expect(prompts[0]?.arguments).toMatchObject([
      { name: 'topic', required: true },
      { name: 'tone', required: false, description: 'How.' },
    ])
    const completed = await client.complete({
      ref: { type: 'ref/prompt', name: 'explain' },
      argument: { name: 'topic', value: 'f' },
    })
    expect(completed.completion.values).toEqual(['fees'])
    const prompt = await client.getPrompt({ name: 'explain', arguments: { topic: 'fees' } })
    expect(JSON.stringify(prompt.messages)).toContain('Explain fees')
    await client.close()
  })
})

test.each(Object.keys(TOOLS))('the older official client lists and calls %s', async (name) => {
  const client = await connectClientV1(app.url)
  await client.listTools()
  const result = await client.callTool({ name, arguments: inputOf(name) })
  expect(result.structuredContent).toMatchObject(inputOf(name))
  await client.close()
})
