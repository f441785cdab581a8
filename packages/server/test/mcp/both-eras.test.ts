/** Lists, calls and errors: the same in both eras, each in its own format. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { connectClient, connectClientV1, ERAS, errorCode, structured } from '../support/clients.ts'
import { PROTOCOL_CATALOG, sendRequest } from '../support/wire.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG })
})
afterAll(() => app.stop())

const LISTS = [
  ['tools/list', 'tools'],
  ['resources/list', 'resources'],
  ['resources/templates/list', 'resourceTemplates'],
  ['prompts/list', 'prompts'],
] as const

describe.each(ERAS)('in %s', (era) => {
  test.each(LISTS)('%s has the same order each time', async (method, field) => {
    const names = async () => {
      const { message } = await sendRequest(app.url, era, method)
      const listed = (message.result?.[field] ?? []) as { name: string }[]
      expect(listed.length).toBeGreaterThan(0)
      return listed.map(({ name }) => name)
    }
    const first = await names()
    expect(first).toEqual([...first].sort())
    expect(await names()).toEqual(first)
  })

  test('runs a tool', async () => {
    const { status, message } = await sendRequest(app.url, era, 'tools/call', {
      name: 'echo',
      arguments: { text: 'hello' },
    })
    expect(status).toBe(200)
    expect(message.result).toMatchObject({ structuredContent: { text: 'hello' } })
  })

  test('answers an unknown tool with -32602', async () => {
    const { status, message } = await sendRequest(app.url, era, 'tools/call', { name: 'nothing' })
    expect(status).toBe(200)
    expect(message.error?.code).toBe(-32602)
  })

  test('answers an unknown resource and an unknown prompt with the code of its revision', async () => {
    const resource = await sendRequest(app.url, era, 'resources/read', { uri: 'test://nothing' })
    expect(resource.message.error?.code).toBe(era === '2025-11-25' ? -32002 : -32602)
    const prompt = await sendRequest(app.url, era, 'prompts/get', { name: 'nothing' })
    expect(prompt.message.error?.code).toBe(-32602)
  })

  test('answers invalid arguments with a tool error that names them', async () => {
    const { message } = await sendRequest(app.url, era, 'tools/call', {
      name: 'echo',
      arguments: { text: 5 },
    })
    expect(errorCode(message.result ?? {})).toBe('invalid_arguments')
    expect(JSON.stringify(message.result)).toContain('expected string')
  })

  test('refuses a call without a name, or with arguments that are no object', async () => {
    const nameless = await sendRequest(app.url, era, 'tools/call', { arguments: {} })
    expect(nameless.message.error?.code).toBe(-32602)
    const odd = await sendRequest(app.url, era, 'tools/call', { name: 'echo', arguments: ['text'] })
    expect(odd.message.error?.code).toBe(-32602)
  })

  test('reads a resource, renders a prompt and completes its argument', async () => {
    const resource = await sendRequest(app.url, era, 'resources/read', { uri: 'test://note' })
    expect(resource.message.result?.contents).toEqual([
      { uri: 'test://note', mimeType: 'text/plain', text: 'a note' },
    ])
    const prompt = await sendRequest(app.url, era, 'prompts/get', {
      name: 'greet',
      arguments: { name: 'Ada' },
    })
    expect(JSON.stringify(prompt.message.result?.messages)).toContain('Say hello to Ada.')
    const completed = await sendRequest(app.url, era, 'completion/complete', {
      ref: { type: 'ref/prompt', name: 'greet' },
      argument: { name: 'name', value: 'Gr' },
    })
    expect(completed.message.result?.completion).toMatchObject({ values: ['Grace'] })
  })

  test('serves the official client', async () => {
    const { client } = await connectClient(app.url, era)
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual(['broken', 'count', 'echo', 'hold'])
    const result = await client.callTool({ name: 'echo', arguments: { text: 'from a client' } })
    expect(structured<{ text: string }>(result).text).toBe('from a client')
    await client.close()
  })

  test('reports progress over the stream of the call', async () => {
    const { client } = await connectClient(app.url, era)
    const seen: unknown[] = []
    const result = await client.callTool(
      { name: 'count', arguments: {} },
      { onprogress: ({ progress, total, message }) => seen.push({ progress, total, message }) },
    )
    expect(structured(result)).toEqual({ counted: 3 })
    expect(seen).toEqual([
      { progress: 1, total: 3, message: 'step 1' },
      { progress: 2, total: 3, message: 'step 2' },
      { progress: 3, total: 3, message: 'step 3' },
    ])
    await client.close()
  })

  test('sends no progress to clients that did not request it', async () => {
    const { messages } = await sendRequest(app.url, era, 'tools/call', {
      name: 'count',
      arguments: {},
    })
    expect(messages).toHaveLength(1)
  })
})

test('an unknown method is 404 and -32601 in 2026, and -32601 in 2025', async () => {
  const modern = await sendRequest(app.url, '2026-07-28', 'tools/nothing')
  expect([modern.status, modern.message.error?.code]).toEqual([404, -32601])
  const legacy = await sendRequest(app.url, '2025-11-25', 'tools/nothing')
  expect([legacy.status, legacy.message.error?.code]).toEqual([200, -32601])
})

test('every 2026 result has a resultType, every list is cacheable by its caller only', async () => {
  for (const [method] of LISTS) {
    const { message } = await sendRequest(app.url, '2026-07-28', method)
    expect(message.result).toMatchObject({ resultType: 'complete', cacheScope: 'private' })
    expect(message.result?.ttlMs).toBeGreaterThan(0)
  }
  const discovered = await sendRequest(app.url, '2026-07-28', 'server/discover')
  expect(discovered.message.result).toMatchObject({
    resultType: 'complete',
    cacheScope: 'private',
    supportedVersions: ['2026-07-28'],
  })
  const called = await sendRequest(app.url, '2026-07-28', 'tools/call', {
    name: 'count',
    arguments: {},
  })
  expect(called.message.result).toMatchObject({ resultType: 'complete' })
})

test('a resource has its cache scope, in 2026 only', async () => {
  const modern = await sendRequest(app.url, '2026-07-28', 'resources/read', { uri: 'test://note' })
  expect(modern.message.result).toMatchObject({ ttlMs: 60_000, cacheScope: 'public' })
  const legacy = await sendRequest(app.url, '2025-11-25', 'resources/read', { uri: 'test://note' })
  expect(legacy.message.result).not.toHaveProperty('cacheScope')
  expect(legacy.message.result).not.toHaveProperty('resultType')
})

test('ping is answered in 2025 and unknown in 2026, which has none', async () => {
  const legacy = await sendRequest(app.url, '2025-11-25', 'ping')
  expect(legacy.message.result).toEqual({})
  const modern = await sendRequest(app.url, '2026-07-28', 'ping')
  expect([modern.status, modern.message.error?.code]).toEqual([404, -32601])
})

test('serves the older official client', async () => {
  const client = await connectClientV1(app.url)
  expect((await client.listTools()).tools).toHaveLength(4)
  const result = await client.callTool({ name: 'echo', arguments: { text: 'v1' } })
  expect(structured<{ text: string }>(result).text).toBe('v1')
  await client.close()
})
