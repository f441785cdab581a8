/** Results of tools: content blocks, metadata, and data that is not an object. */

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { answer, defineContentTool, defineTool, masked } from '../../src/engine/index.ts'
import { callTool, expectNoLeak } from '../support/tools.ts'

const IBAN = 'GB33BUKB20201555555555'
const IMAGE = { type: 'image', data: 'aWJhbg==', mimeType: 'image/png' } as const
const LINK = { type: 'resource_link', uri: 'desk://tickets/7', name: 'Ticket 7' } as const

const Account = z.object({ owner: z.string(), iban: masked(z.string(), { left: 2 }) })

type Blocks = Parameters<typeof answer>[0]['content']

function accountTool(
  parts: (iban: string) => { content?: Blocks; meta?: Record<string, unknown> },
) {
  return defineTool({
    name: 'account',
    description: 'Reads an account.',
    input: z.object({}),
    output: Account,
    async run({ upstream, signal }) {
      const account = await upstream.get<z.input<typeof Account>>('/account', {}, { signal })
      return answer({ data: account, ...parts(account.iban) })
    },
  })
}

const upstream = { 'GET /account': { owner: 'Ada', iban: IBAN, risk: 3 } }
const DATA = { owner: 'Ada', iban: 'GB********************' }

describe('an answer with blocks', () => {
  it('has an image, a short text and the full data', async () => {
    const content = [{ type: 'text', text: 'The account of Ada.' } as const, IMAGE]
    const result = await callTool(
      accountTool(() => ({ content })),
      {},
      { upstream },
    )
    expect(result.structuredContent).toEqual(DATA)
    expect(result.content).toEqual(content)
  })

  it('has the data as text first if none of its blocks is text', async () => {
    const result = await callTool(
      accountTool(() => ({ content: [IMAGE, LINK] })),
      {},
      { upstream },
    )
    expect(result.content).toEqual([{ type: 'text', text: JSON.stringify(DATA) }, IMAGE, LINK])
  })

  it('has masked values masked in every text, name, address and annotation', async () => {
    const tool = accountTool((iban) => ({
      content: [
        { type: 'text', text: `It is ${iban}.`, annotations: { audience: ['user'] } },
        { ...LINK, uri: `desk://accounts/${iban}`, name: iban, description: iban, title: iban },
        { type: 'resource', resource: { uri: `desk://${iban}`, text: iban } },
        { ...IMAGE, _meta: { 'example.com/of': iban } },
      ],
      meta: { 'example.com/account': { deep: [[{ iban }]], [iban]: 1 } },
    }))
    const result = await callTool(tool, {}, { upstream })
    expectNoLeak(result, [IBAN])
    expect(result.content[0]).toMatchObject({ annotations: { audience: ['user'] } })
    expect(result.content[3]).toMatchObject({ type: 'image', data: IMAGE.data })
    expect(result.meta).toMatchObject({ 'example.com/account': { deep: [[{ iban: DATA.iban }]] } })
  })

  it('drops undeclared fields, and refuses invalid data', async () => {
    const fields = { name: 'a', description: 'A.', input: z.object({}), output: Account }
    const run = async () => answer({ data: { owner: 'Ada' } as never, content: [LINK] })
    const result = await callTool(defineTool({ ...fields, run }), {})
    expect(result.code).toBe('invalid_output')
    expect(result.content).toHaveLength(1)
  })
})

describe('metadata', () => {
  it('of a result is next to its data', async () => {
    const result = await callTool(
      accountTool(() => ({ meta: { 'example.com/version': 3 } })),
      {},
      { upstream },
    )
    expect(result.meta).toEqual({ 'example.com/version': 3 })
    expect(result.text).toBe(JSON.stringify(DATA))
  })

  it('of a content tool has masked arguments masked', async () => {
    const tool = defineContentTool({
      name: 'picture',
      description: 'Draws.',
      input: z.object({ iban: masked(z.string()) }),
      run: async ({ input: { iban } }) =>
        answer({ content: [IMAGE], meta: { 'example.com/of': iban } }),
    })
    const result = await callTool(tool, { iban: IBAN })
    expect(result.content).toEqual([IMAGE])
    expect(result.meta).toEqual({ 'example.com/of': '*'.repeat(IBAN.length) })
  })

  it.each([
    ['version', 'must have a prefix'],
    ['/version', 'must have a prefix'],
    ['a b/version', 'must have a prefix'],
    ['io.modelcontextprotocol/serverInfo', 'reserved'],
    ['modelcontextprotocol.io/x', 'reserved'],
    ['com.mcp.tools/x', 'reserved'],
    ['mcp-template/error', 'reserved'],
  ])('refuses the key %s', (key, fault) => {
    expect(() => answer({ data: 1, meta: { [key]: 1 } })).toThrow(fault)
    const tool = defineTool({
      ...{ name: 'a', description: 'A.', input: z.object({}), output: z.object({}) },
      meta: { [key]: 1 },
      run: async () => ({}),
    })
    return expect(callTool(tool, {})).rejects.toThrow(fault)
  })
})

describe('an output that is not an object', () => {
  const toolOf = <Output extends z.ZodType>(output: Output, data: z.input<Output>) =>
    defineTool({ name: 'a', description: 'A.', input: z.object({}), output, run: async () => data })

  it('is a list, closed and masked', async () => {
    const accounts = [{ owner: 'Ada', iban: IBAN, risk: 3 }]
    const result = await callTool(toolOf(z.array(Account), accounts), {})
    expect(result.structuredContent).toEqual([DATA])
    expect(result.text).toBe(JSON.stringify([DATA]))
    expectNoLeak(result, [IBAN])
  })

  it('is a union', async () => {
    const Found = z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('account'), account: Account }),
      z.object({ kind: z.literal('none') }),
    ])
    const data = { kind: 'account', account: { owner: 'Ada', iban: IBAN } } as const
    const result = await callTool(toolOf(Found, data), {})
    expect(result.structuredContent).toEqual({ kind: 'account', account: DATA })
  })

  it('is a text, which the model reads unchanged', async () => {
    const result = await callTool(toolOf(z.string(), 'Line 1\nLine "2"'), {})
    expect(result.structuredContent).toBe('Line 1\nLine "2"')
    expect(result.text).toBe('Line 1\nLine "2"')
  })

  it('is masked at its root', async () => {
    const result = await callTool(toolOf(masked(z.string(), { right: 2 }), IBAN), {})
    expectNoLeak(result, [IBAN])
  })

  it('is a list in TOON, too', async () => {
    const rows = toolOf(z.array(z.object({ id: z.number() })), [{ id: 1 }, { id: 2 }])
    const result = await callTool(rows, {}, { textFormat: 'toon' })
    expect(result.text).toBe('[2]{id}:\n  1\n  2')
  })

  it('is refused at start if it is open, or if a union masks only one of its texts', async () => {
    await expect(callTool(toolOf(z.array(z.unknown()), []), {})).rejects.toThrow('output is open')
    await expect(callTool(toolOf(z.unknown(), 1), {})).rejects.toThrow('output is open at its root')
    const half = z.union([masked(z.string()), z.string().max(3)])
    await expect(callTool(toolOf(half, 'x'), {})).rejects.toThrow('does not mask reliably')
  })
})
