/** Services of a whole server: readiness, hooks over the wire, closing after the last call. */

import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { createMcp } from '../../src/create-mcp.ts'
import { startTestServer } from '../../src/testing/index.ts'
import { responseTo } from '../support/event-reader.ts'
import { initializeSse, openSse, sendSse } from '../support/sse.ts'
import { postModern, read, sendRequest } from '../support/wire.ts'

function desk() {
  const events: string[] = []
  const state = { isReady: true }
  const mcp = createMcp({
    settings: z.object({ DESK_KEY: z.string().meta({ secret: true }) }),
    services: async ({ open }) => ({
      one: await open(
        'one',
        () => 1,
        () => void events.push('close one'),
      ),
      two: await open(
        'two',
        () => 2,
        () => void events.push('close two'),
      ),
    }),
  })
  const add = mcp.defineTool({
    name: 'add',
    description: 'Adds.',
    input: z.object({ waitMs: z.number().default(0) }),
    output: z.object({ sum: z.number() }),
    async run({ input, services, settings, log }) {
      await new Promise((resolve) => setTimeout(resolve, input.waitMs))
      log.info(`with the key ${settings.DESK_KEY}`)
      events.push('ran')
      return { sum: services.one + services.two }
    },
  })
  const hook = mcp.defineHook({
    name: 'audit',
    after: ({ kind, name, client }, { status }) =>
      void events.push(`${kind} ${name} ${client.name} ${status}`),
  })
  const prompt = mcp.definePrompt({
    name: 'hello',
    description: 'Greets.',
    arguments: z.object({}),
    render: (_input, { services, caller }) => `${services.one} ${caller.kind}`,
  })
  const resource = mcp.defineResource({
    name: 'sum',
    uri: 'desk://sum',
    read: async ({ services, caller }) => `${services.two} ${caller.kind}`,
  })
  const server = mcp.defineServer({
    name: 'desk',
    hooks: [hook],
    readiness() {
      if (!state.isReady) throw new Error('the database is unavailable')
    },
  })
  const given = { server, tools: [add], prompts: [prompt], resources: [resource] }
  return { events, given, state }
}

const env = { DESK_KEY: 'key-of-the-desk-4711' }

it('are available everywhere, in both eras, with hooks and no secret in the log', async () => {
  for (const fastPath of ['on', 'off']) {
    for (const era of ['2026-07-28', '2025-11-25']) {
      const { events, given } = desk()
      const server = await startTestServer({ ...given, env: { ...env, MCP_FAST_PATH: fastPath } })
      const result = async (method: string, params: Record<string, unknown>) =>
        JSON.stringify((await sendRequest(server.url, era, method, params)).message)
      expect(await result('tools/call', { name: 'add', arguments: {} })).toContain('"sum":3')
      expect(await result('prompts/get', { name: 'hello' })).toContain('1 anonymous')
      expect(await result('resources/read', { uri: 'desk://sum' })).toContain('2 anonymous')
      expect(await result('resources/read', { uri: 'desk://none' })).toContain('error')
      await server.stop()
      expect(events).toEqual([
        'ran',
        'tool add by hand ok',
        'prompt hello by hand ok',
        'resource sum by hand ok',
        'close two',
        'close one',
      ])
      expect(JSON.stringify(server.log())).not.toContain(env.DESK_KEY)
    }
  }
})

it('are available over /sse, with hooks', async () => {
  const { events, given } = desk()
  const server = await startTestServer({ ...given, env })
  const opened = await openSse(server.url)
  const { stream, path } = await initializeSse(opened, [server.url])
  let id = 0
  const result = async (method: string, params: object) => {
    id += 1
    await sendSse(server.url, path, { jsonrpc: '2.0', id, method, params })
    return JSON.stringify((await stream.until(responseTo(id))).data)
  }
  expect(await result('tools/call', { name: 'add', arguments: {} })).toContain('sum')
  expect(await result('prompts/get', { name: 'hello' })).toContain('1 anonymous')
  expect(await result('resources/read', { uri: 'desk://sum' })).toContain('2 anonymous')
  stream.close()
  await server.stop()
  expect(events.slice(0, 2)).toEqual(['ran', 'tool add by hand ok'])
  expect(events.slice(-2)).toEqual(['close two', 'close one'])
  expect(events).toHaveLength(6)
})

it('close after the last call was answered', async () => {
  const { events, given } = desk()
  const server = await startTestServer({ ...given, env })
  const params = { name: 'add', arguments: { waitMs: 300 } }
  const calling = read(postModern(server.url, 'tools/call', params))
  await expect.poll(() => server.log().length).toBeGreaterThan(0)
  await new Promise((resolve) => setTimeout(resolve, 100))
  await server.stop()
  expect((await calling).message.result?.structuredContent).toEqual({ sum: 3 })
  expect(events).toEqual(['ran', 'tool add by hand ok', 'close two', 'close one'])
})

it('that are not ready make the node not ready, which is logged once', async () => {
  const { given, state } = desk()
  const server = await startTestServer({ ...given, env })
  onTestFinished(() => server.stop())
  const status = async () => (await fetch(`${server.url}/readyz`)).status
  expect(await status()).toBe(200)
  state.isReady = false
  expect([await status(), await status()]).toEqual([503, 503])
  state.isReady = true
  expect(await status()).toBe(200)
  const said = server.log().filter(({ msg }) => msg?.startsWith('services '))
  expect(said.map(({ msg }) => msg)).toEqual(['services not ready', 'services ready'])
})
