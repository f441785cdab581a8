/**
 * A caller with neither token nor MCP session gets the handle of the session that its call opened.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { moduleOf, writeCatalog } from '../engine/catalog.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { authorizeDirectCaller } from '../support/direct.ts'
import { connect, post, postModern, read, request, sendRequest } from '../support/wire.ts'

const tool = (name: string, requires: string, run: string) =>
  moduleOf(`import { ToolError, form } from '${new URL('../../src/engine/index.ts', import.meta.url).href}'
  export default defineTool({ name: '${name}', description: 'A tool.', ${requires}
    input: z.object({ value: z.string().optional() }),
    output: z.object({ value: z.string().optional() }),
    run: async ({ input, session, ask }) => { ${run} } })`)

const FILES = {
  'tools/remember.ts': tool(
    'remember',
    '',
    "await session.set('value', input.value); return { value: input.value }",
  ),
  'tools/recall.ts': tool(
    'recall',
    'requires: { session: true },',
    "return { value: session.get('value') }",
  ),
  'tools/fail.ts': tool(
    'fail',
    '',
    "await session.set('value', input.value); throw new ToolError('No.')",
  ),
  'tools/asking.ts': tool(
    'asking',
    '',
    `if (session.get('value') === undefined) await session.set('value', 'asked')
     await ask({ go: form('Go on?', z.object({ sure: z.boolean() })) })
     return { value: session.get('value') }`,
  ),
}

let app: TestApp
beforeAll(async () => {
  app = await startApp({ catalogDirectory: writeCatalog(FILES) })
})
afterAll(() => app.stop())

const HANDLE = 'mcp-template/session'

interface Result {
  readonly content: readonly { readonly text?: string }[]
  readonly structuredContent?: unknown
  readonly _meta?: Readonly<Record<string, unknown>>
  readonly requestState?: string
}

async function call(name: string, args: object, more: object = {}, options: object = {}) {
  const params = { name, arguments: args, ...more }
  const { message } = await read(postModern(app.url, 'tools/call', params, options))
  return message.result as unknown as Result
}

const handleOf = ({ _meta }: Result) => String(_meta?.[HANDLE])
const textsOf = ({ content }: Result) => content.map(({ text }) => text).join('\n')

describe('in 2026-07-28', () => {
  test.each(['remember', 'fail'])('%s names it for the model and for programs', async (name) => {
    const result = await call(name, { value: 'x' })
    expect(handleOf(result)).toMatch(/^ses_/)
    expect(textsOf(result)).toContain(`Pass "session": "${handleOf(result)}" in later calls.`)
    const recalled = await call('recall', { session: handleOf(result) })
    expect(recalled.structuredContent).toEqual({ value: 'x' })
    expect(recalled._meta).not.toHaveProperty(HANDLE)
  })

  test('with a progress token, off the fast path, too', async () => {
    const result = await call('remember', { value: 'x' }, {}, { meta: { progressToken: 'p' } })
    expect(textsOf(result)).toContain(handleOf(result))
  })

  test('a call with requests for input keeps its session, and returns its handle at the end', async () => {
    const options = { capabilities: { elicitation: { form: {} } } }
    const first = await call('asking', {}, {}, options)
    expect(first.requestState).toBeTypeOf('string')
    const inputResponses = { go: { action: 'accept', content: { sure: true } } }
    const more = { inputResponses, requestState: first.requestState }
    const result = await call('asking', {}, more, options)
    expect(result.structuredContent).toEqual({ value: 'asked' })
    const recalled = await call('recall', { session: handleOf(result) })
    expect(recalled.structuredContent).toEqual({ value: 'asked' })
  })

  test('login names it once', async () => {
    const bank = await startApp()
    const { message } = await sendRequest(bank.url, '2026-07-28', 'tools/call', { name: 'login' })
    const result = message.result as unknown as Result
    expect(result.content).toHaveLength(1)
    expect(result.structuredContent).toMatchObject({ session: handleOf(result) })
    await bank.stop()
  })
})

describe('no handle is returned', () => {
  test('without stored values', async () => {
    expect((await call('recall', {}))._meta).not.toHaveProperty(HANDLE)
  })

  test('to a caller with an MCP session', async () => {
    const headers = await connect(app.url)
    const params = { name: 'remember', arguments: { value: 'x' } }
    const { message } = await read(post(app.url, request('tools/call', params), headers))
    expect(JSON.stringify(message)).not.toContain('ses_')
    const recall = request('tools/call', { name: 'recall', arguments: {} })
    const { message: recalled } = await read(post(app.url, recall, headers))
    expect(recalled.result).toMatchObject({ structuredContent: { value: 'x' } })
  })

  test('to a caller with a token', async () => {
    const caller = await authorizeDirectCaller(app.url)
    const params = { name: 'remember', arguments: { value: 'x' } }
    const { body } = await caller.call('tools/call', params)
    expect(JSON.stringify(body)).not.toContain('ses_')
  })
})
