/** Arguments with very many validation errors: the response stays short, and the work bounded. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineTool, jsonSchema } from '../../src/engine/index.ts'
import { moduleOf, toolFile, writeCatalog } from '../engine/catalog.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { ERAS } from '../support/clients.ts'
import { postDirect } from '../support/direct.ts'
import { callTool } from '../support/tools.ts'
import { post, read, request, sendRequest } from '../support/wire.ts'

/** About what a JSON body may hold. */
const MANY = 9000
/** The limit of the error message, in bytes. */
const MOST_BYTES = 2048
/** The limit of a whole response, in bytes. */
const MOST_ANSWER_BYTES = 4096

const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index))

const wide = 'k'.repeat(100)
const keys = (count: number, value: unknown = 1) =>
  Object.fromEntries(times(count, (at) => [`${wide}${at}`, value]))

const pair = z.union([z.string(), z.boolean()])
const shapes = z.union(
  times(8, (at) => z.object({ kind: z.literal(at), text: z.string(), more: z.number() })),
)
const lists = z.union(times(8, (at) => z.array(z.object({ kind: z.literal(at), a: z.string() }))))
const wrong = times(MANY, () => 1)

const INPUTS: Readonly<Record<string, readonly [z.ZodObject, object]>> = {
  list: [z.object({ a: z.array(z.string()) }), { a: wrong }],
  'list of unions': [z.object({ a: z.array(pair) }), { a: wrong }],
  'list of unions of objects': [z.object({ a: z.array(shapes) }), { a: wrong }],
  'union of lists': [z.object({ a: lists }), { a: times(MANY, () => []) }],
  record: [z.object({ a: z.record(z.string(), z.string()) }), { a: keys(MANY) }],
  'record whose keys do not fit': [
    z.object({ a: z.record(z.string().max(3), z.number()) }),
    { a: keys(MANY) },
  ],
  'unknown keys': [z.strictObject({}), keys(MANY)],
  'one long key': [z.strictObject({}), { ['k'.repeat(1_000_000)]: 1 }],
  'a long key in a path': [
    z.object({ a: z.record(z.string(), z.string()) }),
    { a: { ['世'.repeat(300_000)]: 1 } },
  ],
  'a message that repeats the value': [
    z.object({ a: z.string().refine(() => false, { error: ({ input }) => `No ${input}` }) }),
    { a: '😀'.repeat(250_000) },
  ],
  'JSON Schema': [
    jsonSchema({ type: 'object', properties: { a: { type: 'array', items: { type: 'string' } } } }),
    { a: wrong },
  ],
}

const toolOf = (input: z.ZodObject) =>
  defineTool({
    name: 'probe',
    description: 'Probes.',
    input,
    output: z.object({}),
    run: async () => ({}),
  })

test.each(Object.entries(INPUTS))(
  '%s: is refused with a short message',
  async (_name, [schema, input]) => {
    const run = await callTool(toolOf(schema), input as Record<string, unknown>)
    expect(run.code).toBe('invalid_arguments')
    expect(Buffer.byteLength(run.text)).toBeLessThan(MOST_BYTES)
    expect(run.text.split('✖').length - 1).toBeLessThanOrEqual(10)
    expect(run.text).not.toMatch(/k{61}/)
  },
)

test('reports ten faults, and the number of the others', async () => {
  const tool = toolOf(z.object({ a: z.array(z.string()) }))
  const errorFor = async (count: number) =>
    (await callTool(tool, { a: times(count, () => 1) })).text
  expect(await errorFor(10)).toContain('a[9]')
  expect(await errorFor(10)).not.toContain('more')
  expect(await errorFor(11)).toMatch(/and 1 more$/)
  expect(await errorFor(MANY)).toMatch(/and 8990 more$/)
  expect(await errorFor(MANY)).not.toContain('a[10]')
})

test('five keys are named, and 60 characters of each', async () => {
  const { text } = await callTool(toolOf(z.strictObject({})), keys(7))
  expect(text).toContain(`"${'k'.repeat(59)}…"`)
  expect(text).toMatch(/and 2 more$/)
})

test('invalid arguments cost little more than valid ones', async () => {
  async function cpuOf(schema: z.ZodObject, input: object): Promise<number> {
    const run = () => callTool(toolOf(schema), input as Record<string, unknown>)
    const costs: number[] = []
    // The cheapest of several runs: others on the machine, and the warm-up, only add to it.
    for (let round = 0; round < 6; round += 1) {
      const before = process.cpuUsage()
      await run()
      const { user, system } = process.cpuUsage(before)
      costs.push(user + system)
    }
    return Math.min(...costs)
  }
  const last = () => ({ kind: 7, text: 'a', more: 1 })
  const fitting = await cpuOf(z.object({ a: z.array(shapes) }), { a: times(MANY / 4, last) })
  for (const name of ['list of unions of objects', 'union of lists', 'unknown keys']) {
    const [schema, input] = INPUTS[name] as readonly [z.ZodObject, object]
    expect(await cpuOf(schema, input), name).toBeLessThan(10 * fitting)
  }
})

describe('over the wire', () => {
  let app: TestApp
  beforeAll(async () => {
    const catalogDirectory = writeCatalog({
      'tools/greet.ts': toolFile({ input: 'z.object({ a: z.array(z.string()).optional() })' }),
      'tools/wrong.ts': toolFile({
        name: "'wrong'",
        output: 'z.object({ a: z.array(z.string()) })',
        run: 'async () => ({ a: Array.from({ length: 100000 }, () => 1) })',
      }),
      'prompts/ask.ts': moduleOf(`export default definePrompt({
        name: 'ask', description: 'Asks.',
        arguments: z.strictObject({ a: completable(z.string().max(3), () => []) }),
        render: () => 'Hello.' })`),
      'resources/note.ts': moduleOf(`export default defineResource({
        name: 'note', uri: 'test://note/{id}', read: async () => 'a note' })`),
    })
    app = await startApp({ catalogDirectory, env: { RATE_LIMIT: 'off' } })
  })
  afterAll(() => app.stop())

  const long = 'n'.repeat(200_000)
  const completing = (ref: object, context?: object) => ({
    ref,
    argument: { name: 'a', value: '' },
    ...context,
  })
  const REQUESTS: readonly (readonly [string, string, Record<string, unknown>])[] = [
    ['arguments', 'tools/call', { name: 'greet', arguments: { a: wrong } }],
    ['a list of arguments', 'tools/call', { name: 'greet', arguments: wrong }],
    ['a list for a name', 'tools/call', { name: wrong }],
    ['a long name', 'tools/call', { name: long }],
    ['responses to nothing', 'tools/call', { name: 'greet', inputResponses: wrong }],
    ['a state of no use', 'tools/call', { name: 'greet', requestState: long }],
    ['metadata', 'tools/call', { name: 'greet', _meta: { progressToken: wrong } }],
    ['unknown arguments', 'prompts/get', { name: 'ask', arguments: keys(5000, 'a') }],
    ['a long argument', 'prompts/get', { name: 'ask', arguments: { a: long } }],
    ['arguments that are no texts', 'prompts/get', { name: 'ask', arguments: keys(5000) }],
    ['a long prompt', 'prompts/get', { name: long }],
    ['a long address', 'resources/read', { uri: `test://${long}` }],
    ['a list for an address', 'resources/read', { uri: wrong }],
    ['a list for a cursor', 'tools/list', { cursor: wrong }],
    [
      'a long name to complete',
      'completion/complete',
      completing({ type: 'ref/prompt', name: long }),
    ],
    ['a long template', 'completion/complete', completing({ type: 'ref/resource', uri: long })],
    [
      'a large context',
      'completion/complete',
      completing({ type: 'ref/prompt', name: 'ask' }, { context: { arguments: keys(5000) } }),
    ],
    ['a completion of nothing', 'completion/complete', { ref: wrong, argument: wrong }],
    ['a long level', 'logging/setLevel', { level: long }],
    ['a list to listen to', 'subscriptions/listen', { notifications: wrong }],
    ['a long method', long, {}],
  ]

  /** Names as long as these fit into no header. */
  const fitsIntoHeaders = (method: string, { name, uri }: Record<string, unknown>) =>
    [method, String(name), String(uri)].every(({ length }) => length < 4000)

  describe.each(ERAS)('in %s', (era) => {
    const requests =
      era === '2025-11-25'
        ? REQUESTS
        : REQUESTS.filter(([, method, params]) => fitsIntoHeaders(method, params))

    test.each(requests)('%s: the answer is short', async (_what, method, params) => {
      const { text } = await sendRequest(app.url, era, method, params)
      expect(Buffer.byteLength(text)).toBeLessThan(MOST_ANSWER_BYTES)
    })
  })

  test.each(REQUESTS)('%s: the answer to a direct call is short', async (_what, method, params) => {
    const { body } = await postDirect(app.url, JSON.stringify({ method, params }))
    // It has the text twice.
    expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThan(2 * MOST_ANSWER_BYTES)
  })

  test('the answer to an `initialize` is short', async () => {
    const params = { protocolVersion: 1, capabilities: times(900, () => 1), clientInfo: wrong }
    const { text } = await read(post(app.url, request('initialize', params)))
    expect(Buffer.byteLength(text)).toBeLessThan(MOST_ANSWER_BYTES)
  })

  test('the log of a tool that answers wrongly is short', async () => {
    await sendRequest(app.url, '2025-11-25', 'tools/call', { name: 'wrong', arguments: {} })
    const failed = app.lines.filter((line) => line.includes('tool failed'))
    expect(failed).toHaveLength(1)
    expect(failed[0]).toContain('99990 more')
    expect(Math.max(...app.lines.map(({ length }) => length))).toBeLessThan(20_000)
  })
})
