/** Detours around masks: protocol errors, suggestions, namesakes and other spellings. */

import { ProtocolError, ResourceNotFoundError } from '@modelcontextprotocol/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  definePrompt,
  defineResource,
  defineServer,
  defineTool,
  masked,
  ToolError,
} from '../../src/index.ts'
import { ERAS } from '../support/clients.ts'
import {
  callTool,
  expectNoLeak,
  getPrompt,
  readResource,
  startTestServer,
} from '../support/tools.ts'
import { sendRequest } from '../support/wire.ts'

const IBAN = 'NL91ABNA0417164300'
const SHOWN = '****************00'
const upstream = { 'GET /account': { iban: IBAN } }
const iban = masked(z.string(), { right: 2 })

async function errorOf(run: Promise<unknown>) {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  const { code, message, data } = error as ProtocolError
  return { error, seen: JSON.stringify({ code, message, data }) }
}

describe("a project's own protocol error", () => {
  test('of a resource has no masked value in its message and data', async () => {
    const resource = defineResource({
      ...{ name: 'account', uri: 'bank://account', output: z.object({ iban }) },
      async read({ upstream: api }) {
        const { iban: full } = (await api.get('/account')) as { iban: string }
        throw new ProtocolError(-32602, `${full} is closed`, { [full]: [`of ${full}`] })
      },
    })
    const { error, seen } = await errorOf(readResource(resource, undefined, { upstream }))
    expect(seen).not.toContain(IBAN)
    expect(error).toMatchObject({ code: -32602, message: `${SHOWN} is closed` })
  })

  test('of a prompt has no masked argument, and stays one for a missing resource', async () => {
    const prompt = definePrompt({
      ...{ name: 'explain', description: 'Explains.', arguments: z.object({ iban }) },
      render: (given) => {
        throw new ResourceNotFoundError(`bank://accounts/${given.iban}`)
      },
    })
    const { error, seen } = await errorOf(getPrompt(prompt, { iban: IBAN }))
    expect(seen).not.toContain(IBAN)
    expect(error).toBeInstanceOf(ResourceNotFoundError)
  })
})

describe.each(ERAS)('suggestions in %s', (era) => {
  let server: Awaited<ReturnType<typeof startTestServer>>
  beforeAll(async () => {
    const resource = defineResource({
      ...{ name: 'accounts', uri: 'bank://accounts/{id}', output: z.object({ iban }) },
      complete: {
        async id(typed, { upstream: api }) {
          const { iban: full } = (await api.get('/account')) as { iban: string }
          return typed === 'full' ? [`bank:${full}`] : ['1', '2']
        },
      },
      read: async () => ({ iban: IBAN }),
    })
    server = await startTestServer({
      ...{ server: defineServer({ name: 'acme' }), resources: [resource], upstream },
    })
  })
  afterAll(() => server?.stop())

  const complete = (value: string) =>
    sendRequest(server.url, era, 'completion/complete', {
      ref: { type: 'ref/resource', uri: 'bank://accounts/{id}' },
      argument: { name: 'id', value },
    })

  test('with a masked value fail, and the log says why', async () => {
    const { text, message } = await complete('full')
    expect(text).not.toContain(IBAN)
    expect(message.error).toMatchObject({ code: -32603 })
    expect(JSON.stringify(server.log())).toContain('complete must not return masked values')
  })

  test('without one are sent', async () => {
    const { message } = await complete('')
    expect(message.result).toMatchObject({ completion: { values: ['1', '2'] } })
  })
})

describe('a masked argument', () => {
  const output = z.object({
    payments: z.array(z.object({ reference: masked(z.string(), { left: 2 }) })),
    reference: z.string(),
    list: z.record(z.string(), z.object({ reference: z.array(z.string()) })),
  })
  const echo = defineTool({
    ...{ name: 'echo', description: 'Echoes.', input: z.object({ iban }), output },
    run: async ({ input }) => ({
      payments: [{ reference: input.iban }, { reference: 'other' }],
      reference: input.iban,
      list: { a: { reference: [`at ${input.iban}`] } },
    }),
  })

  test('is masked in an unmasked field that shares its name with a masked one', async () => {
    const run = await callTool(echo, { iban: IBAN })
    expectNoLeak(run, [IBAN])
    expect(run.structuredContent).toEqual({
      payments: [{ reference: 'NL****************' }, { reference: 'ot***' }],
      reference: SHOWN,
      list: { a: { reference: [`at ${SHOWN}`] } },
    })
  })
})

/** Spellings of URLs and JSON that serializers of .NET and PHP write. */
const ODD = 'Rue d’Or 5/b & é+ä'
const SPELLINGS: Readonly<Record<string, string>> = {
  'a URL in lower case': encodeURIComponent(ODD).replace(/%../g, (each) => each.toLowerCase()),
  'a form in lower case': new URLSearchParams([['', ODD]])
    .toString()
    .slice(1)
    .replace(/%../g, (each) => each.toLowerCase()),
  'JSON with escaped slashes': JSON.stringify(ODD).replaceAll('/', '\\/').slice(1, -1),
}

test.each(Object.entries(SPELLINGS))('a value is masked as %s', async (_what, spelling) => {
  const tool = defineTool({
    ...{ name: 'probe', description: 'Fails.', input: z.object({ street: masked(z.string()) }) },
    output: z.object({}),
    run: async () => {
      throw new ToolError(`Nothing at ${spelling}.`)
    },
  })
  const run = await callTool(tool, { street: ODD })
  expect(run.text).toBe(`Nothing at ${'*'.repeat(ODD.length)}.`)
})
