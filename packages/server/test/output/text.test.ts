/** The text of a result has the structured content, in either format. */

import { decode } from '@toon-format/toon'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineTool, masked } from '../../src/engine/index.ts'
import { answerAsText } from '../../src/engine/tool-result.ts'
import { callTool } from '../support/tools.ts'

const accounts = defineTool({
  name: 'accounts',
  description: 'Lists accounts.',
  input: z.object({}),
  output: z.object({
    accounts: z.array(
      z.object({
        id: z.string(),
        iban: masked(z.string(), { right: 2 }),
        note: z.string().optional(),
      }),
    ),
    next: z.string().optional(),
    total: z.number().nullable(),
  }),
  run: async () => ({
    accounts: [
      { id: '1', iban: 'secret-1', note: 'first, with a comma' },
      { id: '2', iban: 'secret-2', note: undefined },
    ],
    next: undefined,
    total: null,
  }),
})

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe('the text', () => {
  it('is the masked structure as JSON', async () => {
    const { text, structuredContent } = await callTool(accounts, {})
    expect(JSON.parse(text)).toEqual(asJson(structuredContent))
    expect(text).toContain('"******-1"')
  })

  it('is the masked structure as TOON', async () => {
    const { text, structuredContent } = await callTool(accounts, {}, { textFormat: 'toon' })
    expect(decode(text)).toEqual(asJson(structuredContent))
    expect(text).toContain('******-2')
  })

  it('has no absent fields, and null only where the answer has it', async () => {
    const { text } = await callTool(accounts, {}, { textFormat: 'toon' })
    expect(text).not.toContain('next')
    expect(text.match(/null/g)).toEqual(['null'])
  })

  it('parses to the original value, in both formats', () => {
    const values = fc.dictionary(
      fc.stringMatching(/^[a-z]{1,8}$/),
      fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.string())),
    )
    fc.assert(
      fc.property(values, (value) => {
        const answer = { ...value }
        expect(JSON.parse(answerAsText(answer, 'json'))).toEqual(answer)
        expect(decode(answerAsText({ answer }, 'toon'))).toEqual({ answer })
      }),
    )
  })
})
