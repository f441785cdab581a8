/** Running a tool: checks before the run, and the errors that the caller sees. */

import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { defineTool, openUrl, ToolError, UpstreamError } from '../../src/engine/index.ts'
import { AppError } from '../../src/errors.ts'
import { callTool, expectNoLeak } from '../support/tools.ts'

const VALUE = 'a-value-nobody-repeats'

function toolThat(run: () => Promise<Record<string, unknown>>, more: object = {}) {
  return defineTool({
    name: 'probe',
    description: 'Does what the test says.',
    input: z.object({}),
    output: z.object({ done: z.boolean() }),
    run: run as () => Promise<{ done: boolean }>,
    ...more,
  })
}

const failing = (error: unknown) => toolThat(async () => Promise.reject(error))

describe('arguments', () => {
  const run = vi.fn(async () => ({ done: true }))
  const tool = (input: z.ZodObject) => toolThat(run, { input })

  it.each<[string, z.ZodType]>([
    ['of another type', z.number()],
    ['not among the options', z.enum(['a', 'b'])],
    ['too long', z.string().max(3)],
    ['not of the form', z.string().regex(/^\d+$/)],
    ['not an address', z.email()],
    ['not the literal', z.literal('x')],
    ['in no member of a union', z.union([z.number(), z.boolean()])],
    ['refused by a check', z.string().refine(() => false)],
  ])('%s are refused by field, without repeating the value', async (_what, field) => {
    const result = await callTool(tool(z.object({ field })), { field: VALUE })
    expect(result.code).toBe('invalid_arguments')
    expect(result.text).toContain('field')
    expectNoLeak(result, [VALUE])
    expect(run).not.toHaveBeenCalled()
  })

  it('name a session by a text or not at all', async () => {
    for (const session of [5, {}, null, true]) {
      expect((await callTool(tool(z.object({})), { session })).code).toBe('invalid_arguments')
    }
    expect(run).not.toHaveBeenCalled()
  })

  it('reach the tool with defaults filled in and unknown ones left out', async () => {
    const seen = vi.fn()
    const echo = defineTool({
      name: 'echo',
      description: 'Keeps what it is given.',
      input: z.object({ given: z.string(), missing: z.number().default(7) }),
      output: z.object({}),
      run: async ({ input }) => {
        seen(input)
        return {}
      },
    })
    await callTool(echo, { given: 'a', unknown: 'b', session: 'ses_x' })
    expect(seen).toHaveBeenCalledWith({ given: 'a', missing: 7 })
  })

  it.each([
    ['strict', z.strictObject({})],
    ['loose', z.looseObject({})],
  ])('may name the session, which is not part of a %s input', async (_what, input) => {
    const seen = vi.fn()
    const tool = toolThat(run, {
      input,
      run: async (context: { input: unknown }) => {
        seen(context.input)
        return { done: true }
      },
    })
    const result = await callTool(tool, { session: 'ses_x' })
    expect(result.isError).toBe(false)
    expect(seen).toHaveBeenCalledWith({})
  })
})

describe('scopes', () => {
  const tool = toolThat(async () => ({ done: true }), {
    requires: { scopes: ['a:read', 'b:read'] },
  })

  it('that are missing are named', async () => {
    const result = await callTool(tool, {}, { scopes: ['b:read', 'a'] })
    expect(result.code).toBe('insufficient_scope')
    expect(result.text).toContain('a:read')
    expect(result.text).not.toContain('b:read')
  })

  it('that are complete permit the call', async () => {
    expect((await callTool(tool, {}, { scopes: ['b:read', 'x', 'a:read'] })).isError).toBe(false)
  })

  it('are not required of a caller without a token', async () => {
    expect((await callTool(tool, {})).isError).toBe(false)
  })
})

describe('the result of a tool', () => {
  it.each<[string, Record<string, unknown>]>([
    ['lacks a field', {}],
    ['has a field of another type', { done: VALUE }],
    ['is nothing', undefined as never],
  ])('is refused when it %s', async (_what, answer) => {
    const result = await callTool(
      toolThat(async () => answer),
      {},
    )
    expect(result.code).toBe('invalid_output')
    expect(result.structuredContent).toBeUndefined()
    expectNoLeak(result, [VALUE])
  })
})

describe('an error of a tool', () => {
  it('that is a ToolError reaches the caller with its code', async () => {
    const result = await callTool(failing(new ToolError('Try on Monday.', { code: 'closed' })), {})
    expect(result).toMatchObject({ isError: true, code: 'closed', text: 'Try on Monday.' })
  })

  it('that is a ToolError without a code is tool_failed', async () => {
    expect((await callTool(failing(new ToolError('No.')), {})).code).toBe('tool_failed')
  })

  it.each([
    new UpstreamError('upstream_timeout'),
    new AppError('login_required', 'Sign in again.'),
  ])('with a code of its own keeps it: $code', async (error) => {
    const result = await callTool(failing(error), {})
    expect(result.code).toBe(error.code)
    expect(result.text).toBe(error.message)
  })

  it('rejects while the store is unavailable, and the transport answers 503', async () => {
    const error = new AppError('unavailable', 'Try again shortly.')
    await expect(callTool(failing(error), {})).rejects.toBe(error)
  })

  it.each([
    ['an error', new Error(VALUE)],
    ['a TypeError', new TypeError(VALUE)],
    ['a text', VALUE],
    ['nothing', undefined],
    ['a ZodError of its own', z.string(VALUE).safeParse(1).error],
  ])('of any other kind is hidden, and logged: %s', async (_what, error) => {
    const { code, text, log } = await callTool(failing(error), {})
    expect(code).toBe('internal_error')
    expect(text).not.toContain(VALUE)
    expect(log).toContainEqual(expect.objectContaining({ level: 'error', msg: 'tool failed' }))
  })

  it('that is thrown synchronously is caught, too', async () => {
    const tool = toolThat(() => {
      throw new ToolError('At once.', { code: 'at_once' })
    })
    expect((await callTool(tool, {})).code).toBe('at_once')
  })
})

describe('the log', () => {
  it('has one line for each call, with its outcome and time', async () => {
    const good = await callTool(
      toolThat(async () => ({ done: true })),
      {},
    )
    const bad = await callTool(failing(new ToolError('No.', { code: 'closed' })), {})
    const line = { level: 'info', msg: 'tool call', tool: 'probe', ms: expect.any(Number) }
    expect(good.log).toEqual([expect.objectContaining({ ...line, outcome: 'ok' })])
    expect(bad.log).toEqual([expect.objectContaining({ ...line, outcome: 'closed' })])
  })
})

describe('a question', () => {
  it.each<[string, unknown]>([
    ['a text', 'Really?'],
    ['nothing', undefined],
    ['a schema', z.object({ sure: z.boolean() })],
    ['the parameters of a form', { message: 'Really?', requestedSchema: {} }],
  ])('that is %s fails the call, and is named in the log', async (_what, question) => {
    const asking = defineTool({
      name: 'asking',
      description: 'Asks.',
      input: z.object({}),
      output: z.object({ sure: z.never() }),
      run: ({ ask }) => ask({ sure: question as never }) as Promise<{ sure: never }>,
    })
    const { code, log } = await callTool(asking, {}, { answers: {} })
    expect(code).toBe('internal_error')
    expect(JSON.stringify(log)).toContain('must be a question of form, openUrl, sample or roots')
    expect(JSON.stringify(log)).toContain('sure')
  })

  it.each(['', 'example.com/page', '/page', 'localhost:80/a', 'javascript:alert(1)'])(
    'opens absolute URLs only, not "%s"',
    (url) => {
      expect(() => openUrl('Open the page.', url)).toThrow(
        'openUrl: the URL must be an absolute http(s) URL',
      )
    },
  )
})
