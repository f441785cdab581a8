/** Invalid arguments of what a tool gets in its context: an error for its author, who reads the log. */

import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  choice,
  choices,
  defineTool,
  form,
  masked,
  openUrl,
  roots,
  sample,
  type ToolContext,
} from '../../src/engine/index.ts'
import { callTool } from '../support/tools.ts'

type Use = (context: ToolContext<object>) => unknown

const cyclic: Record<string, unknown> = {}
cyclic.self = cyclic
const text = { type: 'text', text: 'Hello' }
const said = { role: 'user', content: text }

/** As JavaScript passes them, or a cast. */
const any = (value: unknown) => value as never

/** By the function that the error names. */
const MISTAKES: Readonly<Record<string, Readonly<Record<string, Use>>>> = {
  'client.log': {
    'an unknown level': ({ client }) => client.log(any('warn'), 'x'),
    'no level': ({ client }) => client.log(any(undefined), 'x'),
    'a level in capitals': ({ client }) => client.log(any('INFO'), 'x'),
    'the arguments in another order': ({ client }) => client.log(any('Done.'), 'info'),
    'no data': ({ client }) => client.log('info', undefined),
    'a function': ({ client }) => client.log('info', () => 1),
    'a bigint': ({ client }) => client.log('info', { amount: 1n }),
    'a cycle': ({ client }) => client.log('info', cyclic),
  },
  progress: {
    'not a number': ({ progress }) => progress(Number.NaN, 2),
    infinity: ({ progress }) => progress(1, Number.POSITIVE_INFINITY),
    nothing: ({ progress }) => progress(any(undefined)),
    'a text': ({ progress }) => progress(any('1'), 2),
    'null as the total': ({ progress }) => progress(1, any(null)),
    'an object as the message': ({ progress }) => progress(1, 2, any({ step: 1 })),
  },
  'log.info': {
    'no message': ({ log }) => log.info(any(undefined)),
    'an error as the message': ({ log }) => log.info(any(new Error('x'))),
    'a text as the fields': ({ log }) => log.info('x', any('y')),
    'null as the fields': ({ log }) => log.info('x', any(null)),
  },
  'log.debug': {
    'no message, at a level that is off': ({ log }) => log.debug(any(undefined)),
  },
  'session.set': {
    'no name': ({ session }) => session.set(any(undefined), 1),
    'a number as the name': ({ session }) => session.set(any(1), 1),
    'a function': ({ session }) => session.set('a', () => 1),
    'a bigint': ({ session }) => session.set('a', [1n]),
    'a cycle': ({ session }) => session.set('a', cyclic),
  },
  'announce.resourceUpdated': {
    'no URI': ({ announce }) => announce.resourceUpdated(any(undefined)),
    'a path': ({ announce }) => announce.resourceUpdated('/tickets/1'),
  },
  ask: {
    nothing: ({ ask }) => ask(any(undefined)),
    'a text': ({ ask }) => ask(any('Sure?')),
    'a list': ({ ask }) => ask(any([form('Sure?', z.object({}))])),
    'a question without a name': ({ ask }) => ask(any(roots())),
    'a name that is none': ({ ask }) => ask(JSON.parse('{"__proto__":{}}')),
    'a promise of a question': ({ ask }) => ask({ a: any(Promise.resolve(roots())) }),
  },
  form: {
    'no message': ({ ask }) => ask({ a: form(any(undefined), z.object({})) }),
    'no schema': ({ ask }) => ask({ a: form('Sure?', any(undefined)) }),
    'a JSON Schema': ({ ask }) => ask({ a: form('Sure?', any({ type: 'object' })) }),
    'a schema of a text': ({ ask }) => ask({ a: form('Sure?', any(z.string())) }),
  },
  'properties.address': {
    'a form with an object in it': ({ ask }) =>
      ask({ a: form('Where?', z.object({ address: z.object({ city: z.string() }) })) }),
  },
  choice: {
    'no choices': ({ ask }) => ask({ a: form('Which?', z.object({ a: choice({}) })) }),
    'a list of choices': ({ ask }) => ask({ a: form('?', z.object({ a: choice(any(['a'])) })) }),
    'no titles': ({ ask }) => ask({ a: form('?', z.object({ a: choices(any({ a: 1 })) })) }),
  },
  openUrl: {
    'no message': ({ ask }) => ask({ a: openUrl(any(undefined), 'https://a.example') }),
    'no URL': ({ ask }) => ask({ a: openUrl('Open it.', any(undefined)) }),
    'a script': ({ ask }) => ask({ a: openUrl('Open it.', 'javascript:alert(1)') }),
  },
  'sample: the parameters are invalid': {
    nothing: ({ ask }) => ask({ a: sample(any(undefined)) }),
    'no parameters': ({ ask }) => ask({ a: sample(any({})) }),
    'no limit': ({ ask }) => ask({ a: sample(any({ messages: [said] })) }),
    'a text as the messages': ({ ask }) =>
      ask({ a: sample(any({ messages: 'Hi', maxTokens: 9 })) }),
    'a message of the system': ({ ask }) =>
      ask({ a: sample(any({ messages: [{ role: 'system', content: text }], maxTokens: 9 })) }),
    'a limit that is a text': ({ ask }) =>
      ask({ a: sample(any({ messages: [said], maxTokens: '9' })) }),
  },
}

const cases = Object.entries(MISTAKES).flatMap(([name, uses]) =>
  Object.entries(uses).map(([what, use]) => [name, what, use] as const),
)

function tool(use: Use, secret = z.string()) {
  return defineTool({
    name: 'probe',
    description: 'Passes what the test says.',
    input: z.object({}),
    output: z.object({ secret: secret.optional() }),
    async run(context) {
      await use(context)
      return {}
    },
  })
}

const answers = { a: { action: 'accept', content: {} } } as const

describe.each([
  ['without masks', z.string()],
  ['with masks', masked(z.string())],
])('%s', (_masks, secret) => {
  test.each(cases)('%s with %s fails the call, and the log says why', async (name, _what, use) => {
    const { code, told, log, progress } = await callTool(tool(use, secret), {}, { answers })
    expect(code).toBe('internal_error')
    expect([told, progress]).toEqual([[], []])
    expect(log).toContainEqual(
      expect.objectContaining({
        msg: 'tool failed',
        err: expect.objectContaining({
          type: expect.stringMatching(/Error$/),
          message: expect.stringContaining(name),
        }),
      }),
    )
  })
})

test.each(cases.filter(([name]) => /^(?:client|progress|session)/.test(name)))(
  '%s with %s ends the run of a tool that does not await, not the process',
  async (_name, _what, use) => {
    const result = await callTool(
      tool((context) => void use(context)),
      {},
    )
    expect(result.code).toBe('internal_error')
  },
)

test('ask with a name for two questions fails the call after the first, and the log says why', async () => {
  const asking = tool(async ({ ask }) => {
    await ask({ a: form('First?', z.object({})) })
    await ask({ a: form('Second?', z.object({})) })
  })
  const { code, questions, log } = await callTool(asking, {}, { answers })
  expect([code, questions]).toEqual(['internal_error', ['First?']])
  expect(JSON.stringify(log)).toContain('names two questions')
})

describe('valid arguments', () => {
  test('of ask may name the same question again', async () => {
    const question = () => form('Sure?', z.object({}))
    const asking = tool(async ({ ask }) => [
      await ask({ a: question() }),
      await ask({ a: question() }),
    ])
    const { isError, questions } = await callTool(asking, {}, { answers })
    expect([isError, questions]).toEqual([false, ['Sure?']])
  })

  test('reach the client as JSON', async () => {
    const when = new Date(0)
    const { told } = await callTool(
      tool(({ client }) => client.log('notice', { when, missing: undefined, list: [null, 0, ''] })),
      {},
    )
    expect(told).toEqual([
      { level: 'notice', data: { when: '1970-01-01T00:00:00.000Z', list: [null, 0, ''] } },
    ])
  })

  test.each([null, '', 0, false, []])('%j can be logged and stored', async (value) => {
    const { told, session } = await callTool(
      tool(async (context) => {
        await context.client.log('info', value)
        await context.session.set('value', value)
      }),
      {},
    )
    expect(told).toEqual([{ level: 'info', data: value }])
    expect(session.data).toEqual({ value })
  })

  test('of the session read the same in this run as in the next', async () => {
    const seen: unknown[] = []
    const list = [1]
    await callTool(
      tool(async ({ session }) => {
        await session.set('value', { at: new Date(0), list })
        list.push(2)
        seen.push(session.get('value'))
      }),
      {},
    )
    expect(seen).toEqual([{ at: '1970-01-01T00:00:00.000Z', list: [1] }])
  })
})

describe('the answer of a client', () => {
  const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: 'Hi' } }]
  const question = sample({ messages, maxTokens: 10 })

  test.each<[string, unknown]>([
    ['of a model without its name', { role: 'assistant', content: text }],
    ['of a model with content of another kind', { role: 'assistant', model: 'm', content: 'Hi' }],
    ['of another role', { role: 'system', model: 'm', content: text }],
  ])('%s is not read', (_what, given) => {
    expect(question.read({ a: given }, 'a')).toBeUndefined()
  })

  test('of a model is read, with one block or several', () => {
    for (const content of [text, [text, text]]) {
      const answer = { role: 'assistant', model: 'm', content }
      expect(question.read({ a: answer }, 'a')).toEqual(answer)
    }
  })

  test('with roots that are none is not read', () => {
    const good = [{ uri: 'file:///a', name: 'a' }]
    expect(roots().read({ a: { roots: good } }, 'a')).toEqual(good)
    for (const bad of [[1], [{}], ['file:///a'], [{ uri: 1 }]]) {
      expect(roots().read({ a: { roots: bad } }, 'a')).toBeUndefined()
    }
  })
})
