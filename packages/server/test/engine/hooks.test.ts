/** Hooks around a call: their order, what they see, refusals, and limits of their influence. */

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createMcp } from '../../src/create-mcp.ts'
import { form, type HookOutcome, masked, ToolError } from '../../src/engine/index.ts'
import { callTool, expectNoLeak, type ToolRun } from '../../src/testing/index.ts'

const IBAN = 'GB33BUKB20201555555555'

const { defineTool, defineHook } = createMcp({
  settings: z.object({ QUOTA: z.coerce.number().default(3) }),
})

const pay = defineTool({
  name: 'pay',
  title: 'Pay',
  description: 'Pays.',
  input: z.object({ iban: masked(z.string(), { left: 4 }), pin: masked(z.string()).optional() }),
  output: z.object({ iban: masked(z.string(), { left: 4 }), amounts: z.array(z.number()) }),
  requires: { scopes: ['pay'] },
  annotations: { destructiveHint: true },
  run: async ({ input, session }) => {
    if (input.iban === 'boom') throw new Error('kaputt')
    if (input.iban.startsWith('XX'))
      throw new ToolError(`no bank for ${input.iban}`, { code: 'no_bank' })
    await session.set('paid', true)
    return { iban: input.iban, amounts: [1, 2] }
  },
})

const events: unknown[] = []
const recorder = (name: string) =>
  defineHook({
    name,
    before: () => void events.push(`before ${name}`),
    after: (_call, { status }) => void events.push(`after ${name} ${status}`),
  })

async function run(
  hooks: readonly ReturnType<typeof defineHook>[],
  input: Record<string, unknown> = { iban: IBAN },
  options: Parameters<typeof callTool>[2] = {},
) {
  events.length = 0
  return callTool(pay, input, { ...options, hooks })
}

describe('hooks', () => {
  it('run in order before a call, and in reverse order after it', async () => {
    const result = await run([recorder('one'), recorder('two')])
    expect(result.isError).toBe(false)
    expect(events).toEqual(['before one', 'before two', 'after two ok', 'after one ok'])
  })

  it('refuse a call before a session is changed; `after` runs for hooks that passed it', async () => {
    const refusing = defineHook({
      name: 'quota',
      before: ({ settings }) => {
        throw new ToolError(`At most ${settings.QUOTA} a day.`, { code: 'quota' })
      },
      after: () => void events.push('never'),
    })
    const result = await run([recorder('one'), refusing, recorder('two')])
    expect(result).toMatchObject({ code: 'quota', text: 'At most 3 a day.', session: { data: {} } })
    expect(events).toEqual(['before one', 'after one error'])
  })

  it('see no call that was refused before them', async () => {
    const hooks = [recorder('one')]
    expect(await run(hooks, { iban: 5 })).toMatchObject({ code: 'invalid_arguments' })
    expect(events).toEqual([])
    const refused = await run(hooks, { iban: IBAN }, { scopes: ['other'] })
    expect(refused.code).toBe('insufficient_scope')
    expect(events).toEqual([])
  })

  it('see what is called, by whom, and with what', async () => {
    const seeing = defineHook({
      name: 'see',
      before(call) {
        const { kind, name, title, annotations, requires, input, caller, round, settings } = call
        events.push({ kind, name, title, annotations, requires, input, round, settings })
        events.push([caller.subject, Object.isFrozen(input), call.signal.aborted])
      },
      after: (call) => void events.push(call.signal.aborted),
    })
    await run([seeing], { iban: IBAN, pin: '99' }, { caller: { subject: 'ada', scopes: ['pay'] } })
    expect(events).toEqual([
      {
        kind: 'tool',
        name: 'pay',
        title: 'Pay',
        annotations: { destructiveHint: true },
        requires: { scopes: ['pay'] },
        input: { iban: 'GB33******************', pin: '**' },
        round: 1,
        settings: { QUOTA: 3 },
      },
      ['ada', true, false],
      false,
    ])
  })

  it('see the masked outcome, and cannot change it', async () => {
    const changing = defineHook({
      name: 'change',
      after(_call, outcome) {
        events.push(outcome)
        Object.assign((outcome as Partial<ToolRun>).structuredContent ?? {}, { iban: IBAN })
      },
    })
    const result = await run([changing])
    const structuredContent = { iban: 'GB33******************', amounts: [1, 2] }
    expect(result.structuredContent).toEqual(structuredContent)
    expect(events).toMatchObject([{ status: 'ok', structuredContent }])
    expect(result.log).toContainEqual(
      expect.objectContaining({ level: 'error', hook: 'change', msg: 'hook failed after a call' }),
    )
    expect(JSON.stringify(events)).not.toContain(IBAN)
  })

  it.each([
    ['XX33BUKB20201555555555', 'no_bank', 'no bank for XX33******************'],
    ['boom', 'internal_error', 'The tool failed. Try again later.'],
  ])('see a failure as its caller does: %#', async (iban, code, message) => {
    let seen: HookOutcome | undefined
    const hook = defineHook({
      name: 'audit',
      after(_call, outcome) {
        seen = outcome
      },
    })
    await run([hook], { iban })
    expect(seen).toEqual({ status: 'error', code, message })
  })

  it('see a call that was cancelled, and can still write', async () => {
    const stop = new AbortController()
    const hook = defineHook({
      name: 'audit',
      before: () => stop.abort(),
      after: ({ signal }, outcome) => void events.push([signal.aborted, outcome]),
    })
    await run([recorder('one'), hook], { iban: IBAN }, { signal: stop.signal })
    expect(events.at(-1)).toBe('after one error')
  })

  it('that fail are named in the log, and hidden from the caller', async () => {
    const broken = defineHook({ name: 'broken', before: () => Promise.reject(new Error(IBAN)) })
    const result = await run([broken])
    expect(result.code).toBe('internal_error')
    expect(JSON.stringify(result.log)).toContain('The hook \\"broken\\" failed')
    expectNoLeak(result, [IBAN])
  })

  it('that hang are bound by the time limit of the tool', async () => {
    const hanging = defineHook({ name: 'hang', before: () => new Promise(() => undefined) })
    const result = await run([hanging], { iban: IBAN }, { timeoutSeconds: 0.05 })
    expect(result.code).toBe('timeout')
  })

  it('see each round of a call that asks', async () => {
    const mcp = createMcp()
    const asking = mcp.defineTool({
      name: 'asking',
      description: 'Asks.',
      input: z.object({}),
      output: z.object({ sure: z.boolean() }),
      async run({ ask }) {
        const answers = await ask({ sure: form('Sure?', z.object({ yes: z.boolean() })) })
        return { sure: answers.sure.action === 'accept' && answers.sure.content.yes }
      },
    })
    const rounds: unknown[] = []
    const hook = mcp.defineHook({
      name: 'rounds',
      after: ({ round }, { status }) => void rounds.push([round, status]),
    })
    const answers = { sure: { action: 'accept', content: { yes: true } } } as const
    const result = await callTool(asking, {}, { hooks: [hook], answers })
    expect(result.structuredContent).toEqual({ sure: true })
    expect(rounds).toEqual([
      [1, 'input_required'],
      [2, 'ok'],
    ])
  })
})
