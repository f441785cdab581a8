/** Deeply nested JSON: refused where recursive code overflows the stack, and read in linear time. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { createMcp } from '../../src/create-mcp.ts'
import { defineTool } from '../../src/engine/index.ts'
import { startTestServer, type TestServer } from '../../src/testing/index.ts'
import { callTool } from '../support/tools.ts'

const { defineServer, defineRoute } = createMcp({})

const route = defineRoute({
  ...({ for: 'programs', method: 'POST' } as const),
  path: '/hook',
  async handle({ json }) {
    const body = await json(z.json())
    return Response.json({ received: JSON.stringify(body).length })
  },
})

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ server: defineServer({ name: 'desk', routes: [route] }) })
})
afterAll(() => server.stop())

const send = (body: string) =>
  fetch(`${server.url}/hook`, {
    ...{ method: 'POST', body, headers: { 'content-type': 'application/json' } },
  })

test.each([
  ['lists', '[', ']'],
  ['objects', '{"a":', '}'],
])('%s in the body of a route', async (_what, open, close) => {
  const depth = 10_000
  const response = await send(`${open.repeat(depth)}1${close.repeat(depth)}`)
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ code: 'invalid_request' })
})

test('JSON of sixty levels is read', async () => {
  const response = await send(`${'['.repeat(60)}1${']'.repeat(60)}`)
  expect(await response.json()).toEqual({ received: 121 })
})

test('arguments that do not fit cost the same at any depth', async () => {
  const tool = defineTool({
    ...{ name: 'keep', description: 'Keeps data.', run: async () => ({}) },
    ...{ input: z.object({ data: z.json(), count: z.number() }), output: z.object({}) },
  })
  const nested = (depth: number) => {
    let data: unknown = Array.from({ length: 9000 }, () => [1])
    for (let level = 0; level < depth; level += 1) data = [data]
    return { data, count: 'many' }
  }
  async function cpuOf(input: Record<string, unknown>): Promise<number> {
    const run = async () => expect((await callTool(tool, input)).code).toBe('invalid_arguments')
    await run()
    const before = process.cpuUsage()
    for (let round = 0; round < 3; round += 1) await run()
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  const flat = await cpuOf(nested(0))
  expect(await cpuOf(nested(50))).toBeLessThan(3 * flat)
})
