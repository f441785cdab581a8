/** Masked arguments: only the tool gets the unmasked value. */

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineTool, form, masked, type ToolContext, ToolError } from '../../src/engine/index.ts'
import { callTool, expectNoLeak } from '../support/tools.ts'

const SECRET = 'correct horse 42'
const SHOWN = '**************42'

type Context = ToolContext<{ secret: string; note?: string | undefined }>

function tool(
  run: (context: Context) => unknown,
  note: z.ZodType<string | undefined> = z.string().optional(),
) {
  return defineTool({
    name: 'probe',
    description: 'Discloses an argument.',
    input: z.object({ secret: masked(z.string(), { right: 2 }), note }),
    output: z.object({
      said: z.string().optional(),
      kind: z.enum(['correct', 'wrong']).optional(),
      list: z.array(z.object({ text: z.string() })).optional(),
      secret: masked(z.string(), { right: 5 }).optional(),
      id: z
        .string()
        .regex(/^[a-z ]+\d+$/)
        .optional(),
    }),
    run: async (context) => ((await run(context)) ?? {}) as object,
  })
}

const DISCLOSURES: Readonly<Record<string, (context: Context) => unknown>> = {
  'an error': ({ input }) => {
    throw new ToolError(`Bad ${input.secret}`, { code: input.secret })
  },
  'an accident': ({ input }) => {
    throw new Error(input.secret)
  },
  'a log line': ({ log, input }) => log.info(`got ${input.secret}`, { input }),
  'a line for the client': ({ client, input }) => client.log('info', input),
  progress: ({ progress, input }) => progress(1, 1, input.secret),
  'a question': ({ ask, input }) => ask({ a: form(`Use ${input.secret}?`, z.object({})) }),
  'a text of the answer': ({ input }) => ({ said: `You said ${input.secret}.` }),
  'a text deep in the answer': ({ input }) => ({ list: [{ text: input.secret }] }),
  'a masked field of the answer': ({ input }) => ({ secret: input.secret }),
  'a field of the answer that no mask fits': ({ input }) => ({ id: input.secret }),
}

const answers = { a: { action: 'accept' as const, content: {} } }

describe('a masked argument', () => {
  it('reaches the tool unmasked', async () => {
    let seen: unknown
    await callTool(
      tool(({ input }) => {
        seen = input.secret
      }),
      { secret: SECRET },
    )
    expect(seen).toBe(SECRET)
  })

  it.each(Object.entries(DISCLOSURES))('is not disclosed by %s', async (_where, disclose) => {
    const run = await callTool(tool(disclose), { secret: SECRET }, { answers })
    expectNoLeak(run, [SECRET])
  })

  it('is masked by the mask of its field, and the rest of the text stays', async () => {
    const run = await callTool(
      tool(({ input }) => ({ said: `You said ${input.secret}.` })),
      {
        secret: SECRET,
      },
    )
    expect(run.structuredContent).toEqual({ said: `You said ${SHOWN}.` })
  })

  it("is masked in a masked field by that field's mask", async () => {
    const run = await callTool(tool(DISCLOSURES['a masked field of the answer'] as never), {
      secret: SECRET,
    })
    expect(run.structuredContent).toEqual({ secret: '***********se 42' })
  })

  it('leaves texts of the output schema unchanged', async () => {
    const run = await callTool(
      tool(() => ({ kind: 'correct' })),
      { secret: 'correct' },
    )
    expect(run.structuredContent).toEqual({ kind: 'correct' })
  })

  it('is not in the faults of the arguments', async () => {
    const never = z.string().refine(() => false, { error: ({ input }) => `No ${String(input)}` })
    const run = await callTool(
      tool(() => ({}), never),
      { secret: SECRET, note: `a ${SECRET} b` },
    )
    expect(run.text).toContain(`No a ${SHOWN} b`)
    expectNoLeak(run, [SECRET])
  })

  it('is masked although it is invalid itself', async () => {
    const strict = defineTool({
      ...tool(() => ({})),
      input: z.object({
        secret: masked(z.string().refine(() => false, { error: ({ input }) => `No ${input}` })),
      }),
    })
    const run = await callTool(strict, { secret: SECRET })
    expect(run.code).toBe('invalid_arguments')
    expectNoLeak(run, [SECRET])
  })

  it('is not truncated by a limit of length', async () => {
    const long = z.string().refine(() => false, { error: ({ input }) => String(input) })
    for (let before = 380; before < 402; before += 1) {
      const note = 'x'.repeat(before) + SECRET
      const run = await callTool(
        tool(() => ({}), long),
        { secret: SECRET, note },
      )
      expect(run.text).not.toContain('corr')
    }
  })

  it('does not change the masks of answers: a parse that fails ends the exception', async () => {
    const run = tool(() => ({ secret: 'another secret' }))
    await callTool(run, { secret: 5 })
    expect((await callTool(run, { secret: SECRET })).structuredContent).toEqual({
      secret: '*********ecret',
    })
  })
})
