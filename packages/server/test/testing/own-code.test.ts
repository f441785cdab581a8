/** The test helpers for a team's own code: hidden declarations, and missing services. */

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createMcp } from '../../src/create-mcp.ts'
import { callTool, getPrompt, readResource } from '../../src/testing/index.ts'

const { defineTool, defineResource, definePrompt, defineHook } = createMcp({
  settings: z.object({ DESK_BETA: z.stringbool().default(false) }),
  services: () => ({ desk: { open: (): number => 3 }, clock: { now: (): number => 0 } }),
})
const input = z.object({})
const visible = ({ claims }: { readonly claims: Readonly<Record<string, unknown>> }) =>
  claims.role === 'admin'
const common = { name: 'stats', description: 'Counts.', visible }

const tool = defineTool({
  ...common,
  input,
  output: z.object({ open: z.number() }),
  run: async ({ services: { desk, clock: _clock } }) => ({ open: desk.open() }),
})
const resource = defineResource({ ...common, uri: 'desk://stats', read: async () => 'three' })
const prompt = definePrompt({ ...common, arguments: input, render: () => 'Count.' })

const admin = { caller: { claims: { role: 'admin' } }, services: { desk: { open: () => 5 } } }
const user = { caller: { claims: { role: 'user' } } }

describe('a declaration that the caller may not see', () => {
  it('does not exist, with the errors that clients get', async () => {
    const unknown = { isError: true, code: 'tool_not_found', text: 'Unknown tool', log: [] }
    expect(await callTool(tool, {}, user)).toMatchObject(unknown)
    expect(await callTool(tool, { nonsense: 1 })).toMatchObject(unknown)
    await expect(readResource(resource, undefined, user)).rejects.toMatchObject({
      message: 'Resource not found: desk://stats',
    })
    await expect(getPrompt(prompt, {}, user)).rejects.toMatchObject({
      ...{ code: -32602, message: 'Prompt stats not found' },
    })
  })

  it('runs for callers who may see it', async () => {
    const { structuredContent } = await callTool(tool, {}, admin)
    expect(structuredContent).toEqual({ open: 5 })
    expect((await readResource(resource, undefined, admin)).text).toBe('three')
    expect((await getPrompt(prompt, {}, admin)).text).toBe('Count.')
  })

  it('uses the settings and services of the test', async () => {
    const beta = defineTool({
      ...tool,
      visible: (_caller, { settings, services }) => settings.DESK_BETA && services.desk.open() > 0,
    })
    const codeWith = async (settings: { DESK_BETA?: boolean }) =>
      (await callTool(beta, {}, { ...admin, settings })).code
    expect([await codeWith({}), await codeWith({ DESK_BETA: true })]).toEqual([
      ...['tool_not_found', undefined],
    ])
  })

  it('has the error of `visible` in the log, or as its cause', async () => {
    const broken = () => {
      throw new Error('no such flag')
    }
    const { code, log } = await callTool(defineTool({ ...tool, visible: broken }), {})
    expect([code, log]).toMatchObject(['tool_not_found', [{ err: { message: 'no such flag' } }]])
    const reading = readResource(defineResource({ ...resource, visible: broken }))
    await expect(reading).rejects.toMatchObject({ cause: { message: 'no such flag' } })
  })
})

describe('a service without a replacement', () => {
  it('is named in the log, once the tool uses it', async () => {
    const { services: _services, ...caller } = admin
    const { code, log } = await callTool(tool, {}, caller)
    expect([code, log.map(({ err }) => err)]).toEqual([
      'internal_error',
      expect.arrayContaining([
        expect.objectContaining({
          message: 'The test has no service "desk": { services: { desk: … } }',
        }),
      ]),
    ])
  })

  it('is named in the log, once a hook uses it', async () => {
    const hook = defineHook({
      name: 'clock',
      after: async ({ services }) => void services.clock.now(),
    })
    const { log } = await callTool(tool, {}, { ...admin, hooks: [hook] })
    expect(JSON.stringify(log)).toContain('The test has no service \\"clock\\"')
  })
})
