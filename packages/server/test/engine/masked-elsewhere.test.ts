/** Masked values stay masked in errors, progress, logs and messages to the client. */

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  choice,
  defineTool,
  form,
  masked,
  openUrl,
  sample,
  type ToolContext,
  ToolError,
} from '../../src/engine/index.ts'
import { callTool, expectNoLeak } from '../support/tools.ts'

const SECRET = 'NL91ABNA0417164300'
const SHOWN = '****************00'

type Read = (context: ToolContext<object>) => Promise<unknown>
type Use = (context: ToolContext<object>, secret: string) => Promise<unknown> | unknown

/** Sources of the secret. */
const SOURCES: Record<string, Read> = {
  upstream: ({ upstream }) => upstream.get('/account'),
  account: async ({ session }) => ({ email: (await session.account())?.email }),
  'session value': async ({ session }) => ({ email: session.get('email') }),
}

/** Ways in which a tool may disclose it. */
const DISCLOSURES: Record<string, Use> = {
  'an error for the caller': (_, secret) => {
    throw new ToolError(`No account ${secret}.`, { cause: new Error(secret) })
  },
  'an accident': (_, secret) => {
    throw new TypeError(`bad ${secret}`, { cause: new Error(`because of ${secret}`) })
  },
  'a thrown object': (_, secret) => {
    throw { secret }
  },
  progress: ({ progress }, secret) => progress(1, 1, `at ${secret}`),
  'a log message': ({ log }, secret) => log.warn(`seen ${secret}`),
  'a log field': ({ log }, secret) => log.info('seen', { field: { list: [secret] } }),
  'the name of a log field': ({ log }, secret) => log.info('seen', { [secret]: 1 }),
  'an error in the log': ({ log }, secret) => log.error('failed', { err: new Error(secret) }),
  'a wrong answer': () => ({ email: 42 }),
  'the code of an error': (_, secret) => {
    throw new ToolError('No.', { code: `no_${secret}` })
  },
  'the name and code of an accident': (_, secret) => {
    throw Object.assign(new Error('No.'), { name: secret, code: secret })
  },
  'a log line for the client': ({ client }, secret) =>
    client.log('info', { list: [{ [secret]: `at ${secret}` }], err: new Error(secret) }),
  'a log line for the client, as a text': ({ client }, secret) => client.log('info', secret),
  'a changed resource': ({ announce }, secret) => announce.resourceUpdated(`bank://${secret}`),
  'a URL in progress': ({ progress }, secret) =>
    progress(1, 1, `https://a.example/?${new URLSearchParams({ a: secret })}`),
  'JSON in a log message': ({ log }, secret) => log.info(JSON.stringify({ secret })),
  'the message of a form': ({ ask }, secret) => ask({ a: form(`Use ${secret}?`, z.object({})) }),
  'the texts of a form': ({ ask }, secret) =>
    ask({
      a: form(
        'Which?',
        z.object({
          which: choice({ a: `Account ${secret}` }),
          note: z
            .string()
            .default(secret)
            .meta({ title: secret, description: `As ${secret}` }),
        }),
      ),
    }),
  'the value of a choice': ({ ask }, secret) =>
    ask({ a: form('Which?', z.object({ which: choice({ [secret]: 'Account' }) })) }),
  'the value of an enum': ({ ask }, secret) =>
    ask({ a: form('Which?', z.object({ which: z.enum([secret, 'other']) })) }),
  'the name of a field': ({ ask }, secret) =>
    ask({ a: form('Which?', z.object({ [secret]: z.string() })) }),
  'the name of a question': ({ ask }, secret) => ask({ [secret]: form('Which?', z.object({})) }),
  'a page to open': ({ ask }, secret) =>
    ask({ a: openUrl(`See ${secret}`, `https://a.example/${encodeURIComponent(secret)}`) }),
  'what the model is asked': ({ ask }, secret) =>
    ask({
      model: sample({
        messages: [{ role: 'user', content: { type: 'text', text: `Explain ${secret}` } }],
        systemPrompt: `You know ${secret}`,
        maxTokens: 10,
      }),
    }),
}

function tool(read: Read, disclose: Use) {
  return defineTool({
    name: 'probe',
    description: 'Discloses a secret.',
    input: z.object({}),
    output: z.object({ email: masked(z.string(), { right: 2 }).optional() }),
    async run(context) {
      const { email } = (await read(context)) as { email: string }
      return ((await disclose(context, email)) ?? {}) as object
    },
  })
}

const said = { role: 'assistant', model: 'm', content: { type: 'text', text: 'Yes.' } }
const accept = {
  model: said as never,
  a: { action: 'accept' as const, content: { which: 'a', note: 'b' } },
}

const given = {
  answers: accept,
  opensUrl: 'accept' as const,
  signedInAs: { sub: 'ada', email: SECRET },
  sessionData: { email: SECRET },
  upstream: { 'GET /account': { email: SECRET } },
}

describe.each(Object.entries(SOURCES))('a masked value from %s', (_source, read) => {
  it.each(Object.entries(DISCLOSURES))('is not disclosed by %s', async (_disclosure, disclose) => {
    expectNoLeak(await callTool(tool(read, disclose), {}, given), [SECRET])
  })
})

/** With characters that URLs and JSON escape. */
const ODD_SECRET = 'Rue "d\'Or" 5/b & é+ä'

describe('a value in another encoding', () => {
  it.each(Object.entries(DISCLOSURES))('is not disclosed by %s', async (_disclosure, disclose) => {
    const upstream = { 'GET /account': { email: ODD_SECRET } }
    const run = await callTool(tool(SOURCES.upstream as Read, disclose), {}, { ...given, upstream })
    expectNoLeak(run, [ODD_SECRET])
  })
})

describe('masked, not dropped:', () => {
  const read = SOURCES.upstream as Read

  it('the rest of the message reaches the caller', async () => {
    const result = await callTool(
      tool(read, DISCLOSURES['an error for the caller'] as Use),
      {},
      given,
    )
    expect(result.text).toBe(`No account ${SHOWN}.`)
  })

  it('the rest of the progress message is sent', async () => {
    const { progress } = await callTool(tool(read, DISCLOSURES.progress as Use), {}, given)
    expect(progress).toEqual([{ done: 1, total: 1, message: `at ${SHOWN}` }])
  })

  it('the log has the rest, and the location of the error', async () => {
    const { log } = await callTool(tool(read, DISCLOSURES['an accident'] as Use), {}, given)
    expect(log).toContainEqual(
      expect.objectContaining({
        msg: 'tool failed',
        err: expect.objectContaining({
          type: 'TypeError',
          message: `bad ${SHOWN}`,
          stack: expect.stringContaining('masked-elsewhere.test.ts'),
          cause: expect.objectContaining({ message: `because of ${SHOWN}` }),
        }),
      }),
    )
  })

  it('a log line masks values of its own fields', async () => {
    const early: Use = ({ log }) =>
      log.info('renamed', { email: 'other-secret', note: 'other-secret' })
    const result = await callTool(tool(read, early), {}, given)
    expectNoLeak(result, ['other-secret'])
  })
})

describe('questions with masked texts', () => {
  const read = SOURCES.upstream as Read

  it('show the rest, and their answers are accepted', async () => {
    const disclose = DISCLOSURES['the texts of a form'] as Use
    const run = await callTool(tool(read, disclose), {}, given)
    expect(run.isError).toBe(false)
    expect(JSON.stringify(run.told)).toContain(`"const":"a","title":"Account ${SHOWN}"`)
  })

  it.each(['the value of a choice', 'the value of an enum', 'the name of a field'])(
    'are refused with a reason in the log if %s is masked',
    async (name) => {
      const run = await callTool(tool(read, DISCLOSURES[name] as Use), {}, given)
      expect(run.code).toBe('internal_error')
      expect(JSON.stringify(run.log)).toContain('use a text of your own')
    },
  )

  it('leave images and audio unchanged', async () => {
    const data = Buffer.from(SECRET).toString('base64') + SECRET
    const content = { type: 'image' as const, data, mimeType: 'image/png' }
    const picture: Use = ({ ask }) =>
      ask({ model: sample({ messages: [{ role: 'user', content }], maxTokens: 10 }) })
    const run = await callTool(tool(read, picture), {}, given)
    expect(JSON.stringify(run.told)).toContain(data)
  })
})

describe('a tool log', () => {
  const logging = (fields: Record<string, unknown>) =>
    callTool(
      tool(
        async () => ({}),
        ({ log }) => log.info('said', fields),
      ),
      {},
    )
  const said = async (fields: Record<string, unknown>) =>
    (await logging(fields)).log.find(({ msg }) => msg === 'said')?.fields

  it('logs values unchanged', async () => {
    const fields = { text: 'a', number: 1, flag: true, nothing: null, list: [1, { a: 'b' }] }
    expect(await said(fields)).toEqual(fields)
  })

  it('writes dates as dates', async () => {
    expect(await said({ at: new Date(0) })).toEqual({ at: '1970-01-01T00:00:00.000Z' })
  })

  it('does not fail a tool for a cyclic value', async () => {
    const ring: Record<string, unknown> = {}
    ring.ring = ring
    const result = await logging(ring)
    expect(result.isError).toBe(false)
    expect(JSON.stringify(result.log)).toContain('[too deep]')
  })
})
