/** Limits of results and stored values: RESULT_LIMIT_BYTES and SESSION_DATA_LIMIT_BYTES. */

import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { z } from 'zod'
import {
  answer,
  defineContentTool,
  definePrompt,
  defineResource,
  defineServer,
  defineTool,
} from '../../src/index.ts'
import { startTestServer, type TestServer } from '../../src/testing/index.ts'
import { ERAS, errorCode } from '../support/clients.ts'
import { authorizeDirectCaller } from '../support/direct.ts'
import { sendRequest } from '../support/wire.ts'

const LIMIT = 2048
const size = z.object({ size: z.number(), delayMs: z.number().default(0) })
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const tools = [
  defineTool({
    name: 'data',
    description: 'Returns data.',
    input: size,
    output: z.object({ text: z.string() }),
    async run({ input }) {
      await wait(input.delayMs)
      return { text: '\u00e4'.repeat(input.size / 2) }
    },
  }),
  defineTool({
    name: 'mixed',
    description: 'Returns data and a short text.',
    input: size,
    output: z.object({ text: z.string() }),
    run: ({ input }) =>
      answer({
        data: { text: 'x'.repeat(input.size) },
        content: [{ type: 'text', text: 'short' }],
      }),
  }),
  defineTool({
    name: 'meta',
    description: 'Returns metadata.',
    input: size,
    output: z.object({}),
    run: ({ input }) =>
      answer({ data: {}, content: [], meta: { 'example.com/x': 'x'.repeat(input.size) } }),
  }),
  defineContentTool({
    name: 'content',
    description: 'Returns an image.',
    input: size,
    run: async ({ input }) => [
      { type: 'image' as const, mimeType: 'image/png', data: 'A'.repeat(input.size) },
    ],
  }),
  defineTool({
    name: 'keep',
    description: 'Stores a value in the session.',
    input: z.object({ name: z.string(), size: z.number() }),
    output: z.object({ kept: z.array(z.string()) }),
    async run({ input, session }) {
      await session.set(input.name, 'x'.repeat(input.size))
      return { kept: ['a', 'b'].filter((name) => session.get(name) !== undefined) }
    },
  }),
]

const table = defineTool({
  name: 'table',
  description: 'Returns rows with a long field name.',
  input: size,
  output: z.array(z.object({ aFieldNameThatTheTextHasOnce: z.number() })),
  run: ({ input }) =>
    Array.from({ length: input.size }, () => ({ aFieldNameThatTheTextHasOnce: 1 })),
})

const resources = [
  defineResource({
    name: 'file',
    uri: 'file:///{size}',
    read: ({ variables }) => 'x'.repeat(Number(variables.size)),
  }),
]
const prompts = [
  definePrompt({
    name: 'text',
    description: 'Renders a text.',
    arguments: z.object({ size: z.string() }),
    render: ({ size: given }) => 'x'.repeat(Number(given)),
  }),
]

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({
    ...{ server: defineServer({ name: 'limits' }), tools, resources, prompts },
    env: { RESULT_LIMIT_BYTES: String(LIMIT), SESSION_DATA_LIMIT_BYTES: String(LIMIT) },
  })
})
afterAll(() => server.stop())

describe.each(ERAS)('in %s', (era) => {
  const call = async (name: string, input: object) => {
    const { message } = await sendRequest(server.url, era, 'tools/call', { name, arguments: input })
    return message
  }

  it.each(['data', 'mixed', 'meta', 'content'])('a small result of %s is sent', async (name) => {
    const { result } = await call(name, { size: 1000 })
    expect(result).toBeDefined()
    expect(errorCode(result ?? {})).toBeUndefined()
  })

  it.each(['data', 'mixed', 'meta', 'content'])('a large one of %s fails', async (name) => {
    const { result } = await call(name, { size: LIMIT + 2 })
    expect(errorCode(result ?? {})).toBe('result_too_large')
    expect(JSON.stringify(result)).toContain(`exceeds the limit of ${LIMIT} bytes`)
    expect(JSON.stringify(result).length).toBeLessThan(LIMIT)
  })

  it('a large result of a call that became a stream fails', async () => {
    const { result } = await call('data', { size: LIMIT + 2, delayMs: 500 })
    expect(errorCode(result ?? {})).toBe('result_too_large')
  })

  it('resources and prompts fail with an error', async () => {
    const read = (bytes: number) =>
      sendRequest(server.url, era, 'resources/read', { uri: `file:///${bytes}` })
    const get = (bytes: number) =>
      sendRequest(server.url, era, 'prompts/get', {
        name: 'text',
        arguments: { size: String(bytes) },
      })
    for (const request of [read, get]) {
      expect((await request(1000)).message.result).toBeDefined()
      expect((await request(LIMIT + 1)).message.error).toMatchObject({
        data: { code: 'result_too_large' },
      })
    }
  })
})

test('a direct call answers 500 with the code', async () => {
  const caller = await authorizeDirectCaller(server.url)
  const params = { name: 'data', arguments: { size: LIMIT + 2 } }
  const { status, body } = await caller.call('tools/call', params)
  expect([status, body.code]).toEqual([500, 'result_too_large'])
})

test('data counts even if its text is far shorter', async () => {
  const { url, stop } = await startTestServer({
    ...{ server: defineServer({ name: 'limited' }), tools: [table] },
    env: { RESULT_LIMIT_BYTES: String(LIMIT), TOOL_TEXT_FORMAT: 'toon' },
  })
  const params = { name: 'table', arguments: { size: 100 } }
  const { message } = await sendRequest(url, '2026-07-28', 'tools/call', params)
  expect(JSON.stringify(message)).toContain('result_too_large')
  await stop()
})

test('values of a session are limited together, and a refused one changes nothing', async () => {
  const caller = await authorizeDirectCaller(server.url)
  const store = async (name: string, bytes: number) => {
    const { body } = await caller.call('tools/call', {
      ...{ name: 'keep', arguments: { name, size: bytes } },
    })
    return body.code ?? (body.structuredContent as { kept: unknown }).kept
  }
  expect(await store('a', LIMIT + 1)).toBe('session_data_too_large')
  expect(await store('a', 1500)).toEqual(['a'])
  expect(await store('b', 1500)).toBe('session_data_too_large')
  expect(await store('a', 10)).toEqual(['a'])
  expect(await store('b', 1500)).toEqual(['a', 'b'])
})
